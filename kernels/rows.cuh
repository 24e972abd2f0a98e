// Kernels that own whole rows: TEAM threads share a row of C elements and keep it in registers as KEEP runs of VEC elements each, so
// that a row is read once. Longer rows are read again for every pass over what is beyond the kept part. Which thread holds which
// column depends on C alone, never on the number of rows: a row has the same bits in any batch.
#pragma once

#include "common.cuh"

constexpr int ROW_BLOCK = 128;
constexpr int ROW_KEEP = 4;

// Rows of up to 32 · KEEP · VEC elements are a warp's, longer ones a block's.
template <typename T>
__device__ __forceinline__ bool row_fits_warp(int columns)
{
    return columns <= 32 * ROW_KEEP * Wide<T>::count;
}

// Sum over the TEAM threads of a row; scratch has room for a float per warp of the block. Every thread of the block takes part.
template <int TEAM>
__device__ __forceinline__ float team_sum(float x, float* scratch)
{
    x = warp_sum(x);
    if (TEAM == 32)
    {
        return x;
    }

    constexpr int WARPS = TEAM / 32;
    int warp = threadIdx.x / 32;
    __syncthreads();
    if (threadIdx.x % 32 == 0)
    {
        scratch[warp] = x;
    }

    __syncthreads();
    float sum = 0;
#pragma unroll
    for (int i = 0; i < WARPS; i++)
    {
        sum += scratch[i];
    }

    return sum;
}
