// Group norm, channels last: y = activation((x - mean) · rstd ⊙ weight + bias), mean and rstd over all tokens of an image and the C/G adjacent
// channels of a group.
//   x, y [B,S,C] of T, tokens apart by strides, y may be x; weight, bias [C] of T; nothing is saved for backward
//   floor     (2·sizeof(T) + sizeof(T))·B·S·C bytes: an image of 1024 x 1024 pixels fits no cache, so x is read for its statistics and again for y;
//             8·B·S·C operations
//   sums      a block takes a chunk of an image's tokens in all channels: blockDim.x threads side by side own a run of channels each, blockDim.y rows of
//             them take turns at the tokens. A thread sums distances from its first token's values, which cost no digits however far the mean
//             is from zero. Its means and sums of squares are combined over the turns, then over the channels of a group, in shared memory
//   finish    a warp combines the chunks of a group of an image in fp64
//   apply     as sums, each thread keeping what its channels need in registers
// Deterministic: every sum has an order that depends on S, C and the layout alone; no atomics.
#include "activation.cuh"
#include "parts.cuh"

constexpr int GROUPNORM_BLOCK = 256;

struct GroupNormArguments
{
    const void* x;
    const void* weight;
    const void* bias;
    void* y;
    float2* chunks; // [B,chunks,G]: mean, sum of squared distances from it
    float2* groups; // [B,G]: mean, rstd
    int64 xStride;
    int64 yStride;
    int tokens;
    int columns;
    int groupCount;
    int chunkTokens;
    int chunkCount;
    int activation;
    int vectors;
    float epsilon;
};

extern __shared__ float groupnorm_shared[];

// Where channel c stands so that threads which walk groups of a power of two side by side meet different banks.
__device__ __forceinline__ int groupnorm_place(int c)
{
    return c + c / 32;
}

template <typename T, int N>
__device__ __forceinline__ void groupnorm_sums(const GroupNormArguments& a)
{
    int runs = a.columns / N;
    int first = blockIdx.x * a.chunkTokens, count = min(a.chunkTokens, a.tokens - first);
    const T* x = (const T*)a.x + ((int64)blockIdx.y * a.tokens + first) * a.xStride;

    // [blockDim.y][N][runs] of means, then of squares; afterwards both by channel.
    float* means = groupnorm_shared;
    float* squares = means + blockDim.y * a.columns;
    int own = max(count - (int)threadIdx.y + (int)blockDim.y - 1, 0) / blockDim.y;
    for (int run = threadIdx.x; run < runs; run += blockDim.x)
    {
        float pivot[N] = {}, sum[N] = {}, square[N] = {};
        const T* at = x + threadIdx.y * a.xStride + run * N;
        if (own > 0)
        {
            load_floats(at, pivot);
        }

#pragma unroll 4
        for (int i = 1; i < own; i++)
        {
            float v[N];
            load_floats(at + (int64)i * blockDim.y * a.xStride, v);
#pragma unroll
            for (int e = 0; e < N; e++)
            {
                float distance = v[e] - pivot[e];
                sum[e] += distance;
                square[e] = fmaf(distance, distance, square[e]);
            }
        }

        float inverse = 1.0f / max(own, 1);
#pragma unroll
        for (int e = 0; e < N; e++)
        {
            float mean = sum[e] * inverse;
            int place = (threadIdx.y * N + e) * runs + run;
            means[place] = pivot[e] + mean;
            squares[place] = fmaf(-mean, sum[e], square[e]);
        }
    }

    __syncthreads();
    int thread = threadIdx.y * blockDim.x + threadIdx.x, threads = blockDim.x * blockDim.y;
    float* channelMeans = squares + blockDim.y * a.columns;
    float* channelSquares = channelMeans + groupnorm_place(a.columns);
    for (int slot = thread; slot < a.columns; slot += threads)
    {
        float mean = 0, square = 0;
        for (int turn = 0; turn < blockDim.y; turn++)
        {
            int of = max(count - turn + (int)blockDim.y - 1, 0) / blockDim.y;
            mean = fmaf(of, means[turn * a.columns + slot], mean);
        }

        mean /= count;
        for (int turn = 0; turn < blockDim.y; turn++)
        {
            int of = max(count - turn + (int)blockDim.y - 1, 0) / blockDim.y;
            float apart = means[turn * a.columns + slot] - mean;
            square += fmaf(of * apart, apart, squares[turn * a.columns + slot]);
        }

        int place = groupnorm_place(slot % runs * N + slot / runs);
        channelMeans[place] = mean;
        channelSquares[place] = square;
    }

    __syncthreads();
    int each = a.columns / a.groupCount;
    float2* chunk = a.chunks + ((int64)blockIdx.y * a.chunkCount + blockIdx.x) * a.groupCount;
    for (int group = thread; group < a.groupCount; group += threads)
    {
        float mean = 0, square = 0;
        for (int c = group * each; c < (group + 1) * each; c++)
        {
            mean += channelMeans[groupnorm_place(c)];
        }

        mean /= each;
        for (int c = group * each; c < (group + 1) * each; c++)
        {
            float apart = channelMeans[groupnorm_place(c)] - mean;
            square += fmaf(count * apart, apart, channelSquares[groupnorm_place(c)]);
        }

        chunk[group] = make_float2(mean, square);
    }
}

__device__ __forceinline__ double groupnorm_warp_sum(double x)
{
#pragma unroll
    for (int offset = 16; offset > 0; offset >>= 1)
    {
        x += __shfl_xor_sync(WHOLE_WARP, x, offset);
    }

    return x;
}

extern "C" __global__ void __launch_bounds__(GROUPNORM_BLOCK) groupnorm_finish(const GroupNormArguments a)
{
    int group = blockIdx.x * (GROUPNORM_BLOCK / 32) + threadIdx.x / 32, lane = threadIdx.x % 32;
    if (group >= a.groupCount)
    {
        return;
    }

    const float2* chunks = a.chunks + (int64)blockIdx.y * a.chunkCount * a.groupCount + group;
    double mean = 0, square = 0;
    for (int chunk = lane; chunk < a.chunkCount; chunk += 32)
    {
        mean += (double)min(a.chunkTokens, a.tokens - chunk * a.chunkTokens) * chunks[(int64)chunk * a.groupCount].x;
    }

    mean = groupnorm_warp_sum(mean) / a.tokens;
    double each = a.columns / a.groupCount;
    for (int chunk = lane; chunk < a.chunkCount; chunk += 32)
    {
        float2 of = chunks[(int64)chunk * a.groupCount];
        double apart = of.x - mean;
        square += of.y + min(a.chunkTokens, a.tokens - chunk * a.chunkTokens) * each * apart * apart;
    }

    square = groupnorm_warp_sum(square);
    if (lane == 0)
    {
        a.groups[(int64)blockIdx.y * a.groupCount + group] = make_float2((float)mean, (float)(1 / sqrt(square / (a.tokens * each) + a.epsilon)));
    }
}

template <typename T, int N>
__device__ __forceinline__ void groupnorm_apply(const GroupNormArguments& a)
{
    int first = blockIdx.x * a.chunkTokens, last = min(first + a.chunkTokens, a.tokens);
    int each = a.columns / a.groupCount;
    const float2* groups = a.groups + (int64)blockIdx.y * a.groupCount;
    for (int run = threadIdx.x; run < a.columns / N; run += blockDim.x)
    {
        float mean[N], factor[N], bias[N];
        load_floats((const T*)a.weight + run * N, factor);
        load_floats((const T*)a.bias + run * N, bias);
#pragma unroll
        for (int e = 0; e < N; e++)
        {
            float2 of = groups[(run * N + e) / each];
            mean[e] = of.x;
            factor[e] *= of.y;
        }

#pragma unroll 2
        for (int token = first + threadIdx.y; token < last; token += blockDim.y)
        {
            int64 row = (int64)blockIdx.y * a.tokens + token;
            float v[N];
            load_floats((const T*)a.x + row * a.xStride + run * N, v);
#pragma unroll
            for (int e = 0; e < N; e++)
            {
                v[e] = fmaf(v[e] - mean[e], factor[e], bias[e]);
            }

            if (a.activation != ACTIVATION_NONE)
            {
#pragma unroll
                for (int e = 0; e < N; e++)
                {
                    v[e] = activation_value(v[e], a.activation);
                }
            }

            store_floats((T*)a.y + row * a.yStride + run * N, v);
        }
    }
}

extern "C" __global__ void __launch_bounds__(GROUPNORM_BLOCK) groupnorm_sums_f32(const GroupNormArguments a)
{
    a.vectors ? groupnorm_sums<float, 4>(a) : groupnorm_sums<float, 1>(a);
}

extern "C" __global__ void __launch_bounds__(GROUPNORM_BLOCK) groupnorm_apply_f32(const GroupNormArguments a)
{
    a.vectors ? groupnorm_apply<float, 4>(a) : groupnorm_apply<float, 1>(a);
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(GROUPNORM_BLOCK) groupnorm_sums_bf16(const GroupNormArguments a)
{
    a.vectors ? groupnorm_sums<bf16, 8>(a) : groupnorm_sums<bf16, 1>(a);
}

extern "C" __global__ void __launch_bounds__(GROUPNORM_BLOCK) groupnorm_apply_bf16(const GroupNormArguments a)
{
    a.vectors ? groupnorm_apply<bf16, 8>(a) : groupnorm_apply<bf16, 1>(a);
}
#endif
