// sum (+)= Σ x² in fp64, in a fixed order.
//   x [n] fp32; partials [ceil(n/8192)] fp64 workspace; sum [1] fp64
//   floor   4·n bytes, n fused multiply-adds in fp64
// A block adds up 8192 elements, thread t those at t·4 + 1024·j in order, then the threads as a tree; one more block adds up the partial sums
// the same way.
#include "common.cuh"

constexpr int SQUAREDNORM_THREADS = 256;
constexpr int SQUAREDNORM_BLOCK = 8192;

struct SquaredNormArguments
{
    const float* x;
    double* partials;
    double* sum;
    int64 count;
    int blocks;
    int accumulate;
};

__device__ __forceinline__ double squarednorm_block_sum(double x, double* scratch)
{
#pragma unroll
    for (int offset = 16; offset > 0; offset >>= 1)
    {
        x += __shfl_xor_sync(WHOLE_WARP, x, offset);
    }

    if (threadIdx.x % 32 == 0)
    {
        scratch[threadIdx.x / 32] = x;
    }

    __syncthreads();
    double sum = 0;
#pragma unroll
    for (int i = 0; i < SQUAREDNORM_THREADS / 32; i++)
    {
        sum += scratch[i];
    }

    return sum;
}

extern "C" __global__ void __launch_bounds__(SQUAREDNORM_THREADS) squarednorm_partial(const SquaredNormArguments a)
{
    __shared__ double scratch[SQUAREDNORM_THREADS / 32];
    int64 first = (int64)blockIdx.x * SQUAREDNORM_BLOCK;
    double sum = 0;
#pragma unroll
    for (int j = 0; j < SQUAREDNORM_BLOCK / (4 * SQUAREDNORM_THREADS); j++)
    {
        int64 at = first + j * 4 * SQUAREDNORM_THREADS + 4 * threadIdx.x;
        if (at + 4 <= a.count && (uint64)(a.x + at) % 16 == 0)
        {
            float x[4];
            load_floats(a.x + at, x);
#pragma unroll
            for (int i = 0; i < 4; i++)
            {
                sum = fma((double)x[i], (double)x[i], sum);
            }
        }
        else
        {
            for (int64 i = at; i < min(at + 4, a.count); i++)
            {
                sum = fma((double)a.x[i], (double)a.x[i], sum);
            }
        }
    }

    sum = squarednorm_block_sum(sum, scratch);
    if (threadIdx.x == 0)
    {
        a.partials[blockIdx.x] = sum;
    }
}

extern "C" __global__ void __launch_bounds__(SQUAREDNORM_THREADS) squarednorm_total(const SquaredNormArguments a)
{
    __shared__ double scratch[SQUAREDNORM_THREADS / 32];
    double sum = 0;
    for (int i = threadIdx.x; i < a.blocks; i += SQUAREDNORM_THREADS)
    {
        sum += a.partials[i];
    }

    sum = squarednorm_block_sum(sum, scratch);
    if (threadIdx.x == 0)
    {
        *a.sum = a.accumulate ? *a.sum + sum : sum;
    }
}
