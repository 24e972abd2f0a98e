// Gradients of a linear layer's parameters.
//   dweight += dy^T x (OutIn, [N,K]) or x^T dy (InOut, [K,N]); dbias += column sums of dy
//   dy [M,N] of T or fp32, x [M,K] of T with row strides; dweight and dbias fp32, contiguous
//   floor     2·M·N·K operations, sizeof(T)·(M·N + M·K) + 8·N·K bytes; dbias sizeof(T)·M·N bytes
// The product of linear.cu with both operands k (the token) slowest. The tokens are cut into parts whose number depends on the shape alone, enough
// to fill 132 SMs; each part's sums go to a workspace [parts,N·K] that columnsum.cu adds to dweight in order (with one part the kernel adds itself).
// dbias: a block sums LINEAR_BIAS_ROWS rows of 32 runs of columns, each warp every fourth row, the four warps' sums added in order; columnsum.cu
// adds the blocks. No atomics anywhere, so every sum has one order.
#include "linearmma.cuh"
#include "linearsimt.cuh"

constexpr int LINEAR_BIAS_ROWS = 64;

struct LinearBiasArguments
{
    const void* dy;
    float* partials;
    int64 dyStride;
    int rows;
    int columns;
    int vectors;
};

// Where group q of four columns stands: runs of eight columns are written, and columns are read, without bank conflict.
__device__ __forceinline__ int linear_bias_place(int q)
{
    return q ^ (q >> 3 & 1);
}

template <typename T>
__device__ __forceinline__ void linear_bias_sums(const LinearBiasArguments& a)
{
    constexpr int N = Wide<T>::count;
    __shared__ __align__(16) float sums[4][32 * N];
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    int column = (blockIdx.x * 32 + lane) * N;
    int count = a.columns - column;
    int first = blockIdx.y * LINEAR_BIAS_ROWS;
    int last = min(first + LINEAR_BIAS_ROWS, a.rows);
    float sum[N] = {};
    if (count > 0)
    {
        const T* dy = (const T*)a.dy + column;
#pragma unroll 4
        for (int row = first + warp; row < last; row += 4)
        {
            float x[N];
            load_part(dy + row * a.dyStride, count, a.vectors, x);
#pragma unroll
            for (int i = 0; i < N; i++)
            {
                sum[i] += x[i];
            }
        }
    }

#pragma unroll
    for (int i = 0; i < N; i += 4)
    {
        *(float4*)(sums[warp] + linear_bias_place((lane * N + i) / 4) * 4) = make_float4(sum[i], sum[i + 1], sum[i + 2], sum[i + 3]);
    }

    __syncthreads();
    for (int c = threadIdx.x; c < 32 * N; c += blockDim.x)
    {
        int at = linear_bias_place(c / 4) * 4 + c % 4;
        column = blockIdx.x * 32 * N + c;
        if (column < a.columns)
        {
            a.partials[(int64)blockIdx.y * a.columns + column] = sums[0][at] + sums[1][at] + sums[2][at] + sums[3][at];
        }
    }
}

extern "C" __global__ void __launch_bounds__(128) linearweight_bias_f32(const LinearBiasArguments a)
{
    linear_bias_sums<float>(a);
}

extern "C" __global__ void __launch_bounds__(SIMT_THREADS, 2) linearweight_f32(const LinearArguments a)
{
    linear_simt<false, false>(a);
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(128) linearweight_bias_bf16(const LinearBiasArguments a)
{
    linear_bias_sums<bf16>(a);
}

extern "C" __global__ void __launch_bounds__(LinearMedium::THREADS, 2) linearweight_medium_bf16(const LinearArguments a)
{
    linear_async<LinearMedium, false, false>(a);
}

extern "C" __global__ void __launch_bounds__(LinearSmall::THREADS, 4) linearweight_small_bf16(const LinearArguments a)
{
    linear_async<LinearSmall, false, false>(a);
}

extern "C" __global__ void __launch_bounds__(LinearFloat::THREADS, 1) linearweight_float_bf16(const LinearArguments a)
{
    using S = LinearFloat;
    linear_mma<S, false, false, FloatOperand<S::BM, S::THREADS, false>, AsyncOperand<S::BN, S::THREADS, false>>(a);
}
#endif
