// Kernels that own whole rows of C elements.
// Forward: a warp owns a row, a block of 8 warps takes 32 rows, so that what the rows share (weights) is read once for 32 of them. A row of
// up to 1024 elements stays in the warp's registers and is read once; longer ones, and rows that 16-byte accesses do not fit, are read
// again for every pass.
// Backward: a block takes a chunk of rows, four at a time, and a thread owns 8 columns of all of them, whose gradients of the weights it
// sums in registers. Longer and unaligned rows: a warp owns a row first, then a thread owns columns.
// Which thread holds which column depends on C and alignment alone, never on the number of rows: a row has the same bits in any batch.
#pragma once

#include "common.cuh"

constexpr int ROW_KEPT = 1024;
constexpr int ROW_FORWARD_BLOCK = 256;
constexpr int ROW_FORWARD_CHUNK = 32;
constexpr int ROW_BACKWARD_BLOCK = 128;
constexpr int ROW_OWNED = 8;
constexpr int ROW_AT_ONCE = 4;

// A row in the registers of a warp: run k of lane l starts at column (k · 32 + l) N. Lanes beyond the row hold zeros.
template <typename T>
struct WarpRow
{
    static constexpr int N = Wide<T>::count;
    static constexpr int RUNS = ROW_KEPT / (32 * N);
    float at[RUNS][N];

    __device__ __forceinline__ static int column(int run)
    {
        return (run * 32 + threadIdx.x % 32) * N;
    }

    __device__ __forceinline__ void load(const T* row, int columns)
    {
#pragma unroll
        for (int k = 0; k < RUNS; k++)
        {
            if (column(k) < columns)
            {
                load_floats(row + column(k), at[k]);
            }
            else
            {
#pragma unroll
                for (int i = 0; i < N; i++)
                {
                    at[k][i] = 0;
                }
            }
        }
    }
};

// What rows share, in shared memory as it is stored: the run that starts at column c is run c / N.
template <typename T>
using SharedRow = Pack<T, Wide<T>::count>[ROW_KEPT / Wide<T>::count];

template <typename T>
__device__ __forceinline__ void load_shared_row(SharedRow<T>& shared, const void* row, int columns)
{
    constexpr int N = Wide<T>::count;
    for (int i = threadIdx.x; i < columns / N; i += blockDim.x)
    {
        shared[i] = ((const Pack<T, N>*)row)[i];
    }
}

// Sums COUNT numbers over the block, the same bits in every thread. Scratch has two halves of COUNT floats per warp, used in turn: then one
// barrier is enough, as a half is written again only after everyone has passed the barrier of the other.
template <int COUNT>
struct BlockSums
{
    float halves[2][ROW_BACKWARD_BLOCK / 32][COUNT];

    __device__ __forceinline__ void operator()(float (&x)[COUNT], int turn)
    {
#pragma unroll
        for (int i = 0; i < COUNT; i++)
        {
            x[i] = warp_sum(x[i]);
        }

        if (blockDim.x == 32)
        {
            return;
        }

        float(&half)[ROW_BACKWARD_BLOCK / 32][COUNT] = halves[turn & 1];
        if (threadIdx.x % 32 == 0)
        {
#pragma unroll
            for (int i = 0; i < COUNT; i++)
            {
                half[threadIdx.x / 32][i] = x[i];
            }
        }

        __syncthreads();
#pragma unroll
        for (int i = 0; i < COUNT; i++)
        {
            x[i] = half[0][i];
            for (int warp = 1; warp < blockDim.x / 32; warp++)
            {
                x[i] += half[warp][i];
            }
        }
    }
};

// The first count of COUNT adjacent numbers in every lane of a warp, zeros after them; they are read once.
template <int COUNT>
__device__ __forceinline__ void load_for_warp(const float* p, int count, float (&x)[COUNT])
{
    int lane = threadIdx.x % 32;
    float mine = lane < count ? p[lane] : 0;
#pragma unroll
    for (int i = 0; i < COUNT; i++)
    {
        x[i] = __shfl_sync(WHOLE_WARP, mine, i);
    }
}

// The 8 columns of a thread in the backward pass as runs of N: run k starts at column (k · blockDim.x + threadIdx.x) N.
template <typename T>
struct OwnedColumns
{
    static constexpr int N = Wide<T>::count;
    static constexpr int RUNS = ROW_OWNED / N;

    __device__ __forceinline__ static int column(int run)
    {
        return (run * blockDim.x + threadIdx.x) * N;
    }

    __device__ __forceinline__ static void load(const T* row, int columns, bool wanted, float (&x)[RUNS][N])
    {
#pragma unroll
        for (int k = 0; k < RUNS; k++)
        {
            if (wanted && column(k) < columns)
            {
                load_floats(row + column(k), x[k]);
            }
            else
            {
#pragma unroll
                for (int i = 0; i < N; i++)
                {
                    x[k][i] = 0;
                }
            }
        }
    }

    // Adds old values first when asked to.
    __device__ __forceinline__ static void store(T* row, int columns, bool accumulate, float (&x)[RUNS][N])
    {
#pragma unroll
        for (int k = 0; k < RUNS; k++)
        {
            if (column(k) < columns)
            {
                if (accumulate)
                {
                    float old[N];
                    load_floats(row + column(k), old);
#pragma unroll
                    for (int i = 0; i < N; i++)
                    {
                        x[k][i] += old[i];
                    }
                }

                store_floats(row + column(k), x[k]);
            }
        }
    }

    // The thread's part of a block's sums over its rows. Lanes exchange runs of four, so that a warp writes 512 bytes in one piece.
    __device__ __forceinline__ static void store_partials(float* row, int columns, const float (&x)[RUNS][N])
    {
        constexpr int QUADS = N / 4;
        int lane = threadIdx.x % 32;
#pragma unroll
        for (int k = 0; k < RUNS; k++)
        {
#pragma unroll
            for (int piece = 0; piece < QUADS; piece++)
            {
                int quad = piece * 32 + lane;
                float v[4];
#pragma unroll
                for (int i = 0; i < 4; i++)
                {
                    v[i] = x[k][i];
                    if (QUADS == 2)
                    {
                        float low = __shfl_sync(WHOLE_WARP, x[k][i], quad / 2), high = __shfl_sync(WHOLE_WARP, x[k][N - 4 + i], quad / 2);
                        v[i] = quad % 2 == 0 ? low : high;
                    }
                }

                int first = column(k) - lane * N + quad * 4;
                if (first < columns)
                {
                    store_floats(row + first, v);
                }
            }
        }
    }
};
