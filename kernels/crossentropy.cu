// Cross-entropy of logit rows and its gradient.
//   loss[r] = log Σ exp(logits[r]) - logits[r,label], dlogits := weight (softmax - onehot)
//   logits, dlogits [R,V] fp32 with row strides, dlogits may be logits or left out; labels [R] int; loss [R] fp32
//   floor     8·R·V bytes (4 without gradient), some 12·R·V operations
// A block per row. Rows of up to 8192 logits stay in its registers and are read once; longer ones, and rows that 16-byte accesses do not
// fit, are read again for the maximum, the sum and the gradient.
#include "common.cuh"

constexpr int CROSSENTROPY_BLOCK = 512;
constexpr int CROSSENTROPY_RUNS = 4;

struct CrossEntropyArguments
{
    const float* logits;
    const int* labels;
    float* loss;
    float* dlogits;
    int64 logitsStride;
    int64 dlogitsStride;
    int columns;
    float weight;
    int vectors;
};

// Maximum or sum over the block; scratch is used by no other reduction of the kernel.
template <bool MAXIMUM>
__device__ __forceinline__ float crossentropy_reduce(float x, float (&scratch)[CROSSENTROPY_BLOCK / 32])
{
    x = MAXIMUM ? warp_max(x) : warp_sum(x);
    if (threadIdx.x % 32 == 0)
    {
        scratch[threadIdx.x / 32] = x;
    }

    __syncthreads();
    x = scratch[0];
#pragma unroll
    for (int warp = 1; warp < CROSSENTROPY_BLOCK / 32; warp++)
    {
        x = MAXIMUM ? fmaxf(x, scratch[warp]) : x + scratch[warp];
    }

    return x;
}

template <int N>
__device__ __forceinline__ void crossentropy_store(const CrossEntropyArguments& a, float* gradient, int c, int label, float sum, float factor, float (&e)[N])
{
#pragma unroll
    for (int i = 0; i < N; i++)
    {
        e[i] = c + i == label ? a.weight * (e[i] / sum - 1) : e[i] * factor;
    }

    store_floats(gradient + c, e);
}

// N logits at a time; the first RUNS runs of a thread stay in registers.
template <int RUNS, int N>
__device__ __forceinline__ void crossentropy(const CrossEntropyArguments& a)
{
    __shared__ float maxima[CROSSENTROPY_BLOCK / 32], sums[CROSSENTROPY_BLOCK / 32];
    constexpr int STEP = CROSSENTROPY_BLOCK * N;
    int row = blockIdx.x;
    const float* logits = a.logits + row * a.logitsStride;
    float* gradient = a.dlogits == nullptr ? nullptr : a.dlogits + row * a.dlogitsStride;
    int label = a.labels[row];
    float chosen = threadIdx.x == 0 ? logits[label] : 0;
    float kept[RUNS > 0 ? RUNS : 1][N], v[N];
    float max = __uint_as_float(0xff800000), sum = 0;
    int first = threadIdx.x * N;
#pragma unroll
    for (int k = 0; k < RUNS; k++)
    {
        if (first + k * STEP < a.columns)
        {
            load_floats(logits + first + k * STEP, kept[k]);
#pragma unroll
            for (int i = 0; i < N; i++)
            {
                max = fmaxf(max, kept[k][i]);
            }
        }
    }

    for (int c = first + RUNS * STEP; c < a.columns; c += STEP)
    {
        load_floats(logits + c, v);
#pragma unroll
        for (int i = 0; i < N; i++)
        {
            max = fmaxf(max, v[i]);
        }
    }

    max = crossentropy_reduce<true>(max, maxima);
#pragma unroll
    for (int k = 0; k < RUNS; k++)
    {
        if (first + k * STEP < a.columns)
        {
#pragma unroll
            for (int i = 0; i < N; i++)
            {
                kept[k][i] = expf(kept[k][i] - max);
                sum += kept[k][i];
            }
        }
    }

    for (int c = first + RUNS * STEP; c < a.columns; c += STEP)
    {
        load_floats(logits + c, v);
#pragma unroll
        for (int i = 0; i < N; i++)
        {
            sum += expf(v[i] - max);
        }
    }

    sum = crossentropy_reduce<false>(sum, sums);
    if (threadIdx.x == 0)
    {
        // The small difference first: max + log(sum) alone can be large and would round the loss to its own ulp.
        a.loss[row] = logf(sum) + (max - chosen);
    }

    if (gradient == nullptr)
    {
        return;
    }

    float factor = a.weight / sum;
#pragma unroll
    for (int k = 0; k < RUNS; k++)
    {
        if (first + k * STEP < a.columns)
        {
            crossentropy_store(a, gradient, first + k * STEP, label, sum, factor, kept[k]);
        }
    }

    for (int c = first + RUNS * STEP; c < a.columns; c += STEP)
    {
        load_floats(logits + c, v);
#pragma unroll
        for (int i = 0; i < N; i++)
        {
            v[i] = expf(v[i] - max);
        }

        crossentropy_store(a, gradient, c, label, sum, factor, v);
    }
}

extern "C" __global__ void __launch_bounds__(CROSSENTROPY_BLOCK, 2) crossentropy_f32(const CrossEntropyArguments a)
{
    if (a.vectors)
    {
        crossentropy<CROSSENTROPY_RUNS, 4>(a);
    }
    else
    {
        crossentropy<0, 1>(a);
    }
}
