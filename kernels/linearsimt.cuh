// The matrix product in fp32 without tensor cores (see linear.cuh for what it computes).
//   A block of 128 x 64 results walks k in steps of 16 through two buffers: while a step is multiplied the next one is on its way in registers.
//   Tiles stand with k as rows, so that a thread reads its 8 x 8 operands of one k with four 16-byte loads for 64 multiply-adds; deep operands are
//   turned on the way in, columns exchanged by a multiple of 8 that depends on k / 4, which keeps that free of bank conflicts.
// Every element is the sum of chains of 256 fused multiply-adds in the order of k (docs/decisions/0003-short-chains.md).
#pragma once

#include "linear.cuh"

constexpr int SIMT_ROWS = 128;
constexpr int SIMT_COLUMNS = 64;
constexpr int SIMT_STEP = 16;
constexpr int SIMT_THREADS = 128;
constexpr int SIMT_CHAIN = 256 / SIMT_STEP;

// Column of element i at depth k in a tile.
__device__ __forceinline__ int simt_place(int k, int i)
{
    return i ^ k / 4 * 8;
}

// The operand of ROWS rows that all threads of a block carry from memory to a tile [SIMT_STEP][ROWS], in groups of four floats.
template <int ROWS, bool DEEP>
struct SimtRuns
{
    static constexpr int GROUPS = DEEP ? SIMT_STEP / 4 : ROWS / 4; // of a row as it lies in memory
    static constexpr int HEIGHT = DEEP ? ROWS : SIMT_STEP;
    static constexpr int SPACING = SIMT_THREADS / GROUPS;
    static constexpr int RUNS = HEIGHT / SPACING;

    int row, group;
    float kept[RUNS][4];

    __device__ __forceinline__ SimtRuns() : row(threadIdx.x / GROUPS), group(threadIdx.x % GROUPS) {}

    // Run i from memory: its first `count` elements, zeros behind them.
    __device__ __forceinline__ void fetch(int i, const float* source, int count, bool vectors)
    {
        if (vectors)
        {
            float4 four = count > 0 ? *(const float4*)source : make_float4(0, 0, 0, 0);
            kept[i][0] = four.x;
            kept[i][1] = four.y;
            kept[i][2] = four.z;
            kept[i][3] = four.w;
            return;
        }

#pragma unroll
        for (int e = 0; e < 4; e++)
        {
            kept[i][e] = e < count ? source[e] : 0.0f;
        }
    }

    __device__ __forceinline__ void store(float* tile) const
    {
#pragma unroll
        for (int i = 0; i < RUNS; i++)
        {
            int r = row + i * SPACING;
            if (DEEP)
            {
#pragma unroll
                for (int e = 0; e < 4; e++)
                {
                    tile[(group * 4 + e) * ROWS + simt_place(group * 4, r)] = kept[i][e];
                }
            }
            else
            {
                *(float4*)(tile + r * ROWS + simt_place(r, group * 4)) = make_float4(kept[i][0], kept[i][1], kept[i][2], kept[i][3]);
            }
        }
    }
};

// Rows a fixed distance apart.
template <int ROWS, bool DEEP>
struct SimtOperand
{
    SimtRuns<ROWS, DEEP> runs;
    const float* next;
    int64 stride;
    int limit, left; // rows from the tile's first on, k from the next tile's first on
    bool vectors;

    __device__ __forceinline__ SimtOperand(const void* tensor, int64 stride, bool vectors, int first, int rows, int begin, int end)
        : next((const float*)tensor), stride(stride), limit(rows - first), left(end - begin), vectors(vectors)
    {
        next += DEEP ? (first + runs.row) * stride + begin + runs.group * 4 : (begin + runs.row) * stride + first + runs.group * 4;
    }

    // Reads the next tile into registers.
    __device__ __forceinline__ void fetch()
    {
#pragma unroll
        for (int i = 0; i < runs.RUNS; i++)
        {
            int r = runs.row + i * runs.SPACING;
            int count = (DEEP ? r < limit : r < left) ? (DEEP ? left : limit) - runs.group * 4 : 0;
            runs.fetch(i, next + i * runs.SPACING * stride, count, vectors);
        }

        next += DEEP ? SIMT_STEP : SIMT_STEP * stride;
        left -= SIMT_STEP;
    }
};

__device__ __forceinline__ void simt_read(const float* p, float* x)
{
    float4 four = *(const float4*)p;
    x[0] = four.x;
    x[1] = four.y;
    x[2] = four.z;
    x[3] = four.w;
}

// Row and column of the first of a thread's 8 x 8 results: rows row + {0..3, 64..67}, columns column + {0..3, 32..35}.
__device__ __forceinline__ int simt_row()
{
    return threadIdx.x / 32 * 16 + threadIdx.x % 32 / 8 * 4;
}

__device__ __forceinline__ int simt_column()
{
    return threadIdx.x % 8 * 4;
}

using SimtTiles = float[2][SIMT_STEP * (SIMT_ROWS + SIMT_COLUMNS)];

// A term of a sum of products.
struct SimtProduct
{
    static __device__ __forceinline__ float add(float chain, float x, float w) { return fmaf(x, w, chain); }
};

// The thread's sums of terms over all steps of k. The tiles are free for other use after a barrier.
template <typename Term = SimtProduct, typename A, typename B>
__device__ __forceinline__ void simt_sums(A& left, B& right, int steps, SimtTiles& tiles, float (&sum)[8][8])
{
    constexpr int B_AT = SIMT_STEP * SIMT_ROWS;
    int row = simt_row(), column = simt_column();
    float chain[8][8];
#pragma unroll
    for (int r = 0; r < 8; r++)
    {
#pragma unroll
        for (int c = 0; c < 8; c++)
        {
            sum[r][c] = chain[r][c] = 0;
        }
    }

    left.fetch();
    right.fetch();
    for (int step = 0; step < steps; step++)
    {
        float* tile = tiles[step % 2];
        left.runs.store(tile);
        right.runs.store(tile + B_AT);
        __syncthreads();
        if (step + 1 < steps)
        {
            left.fetch();
            right.fetch();
        }

#pragma unroll
        for (int k = 0; k < SIMT_STEP; k++)
        {
            float x[8], w[8];
            simt_read(tile + k * SIMT_ROWS + simt_place(k, row), x);
            simt_read(tile + k * SIMT_ROWS + simt_place(k, row + 64), x + 4);
            simt_read(tile + B_AT + k * SIMT_COLUMNS + simt_place(k, column), w);
            simt_read(tile + B_AT + k * SIMT_COLUMNS + simt_place(k, column + 32), w + 4);
#pragma unroll
            for (int r = 0; r < 8; r++)
            {
#pragma unroll
                for (int c = 0; c < 8; c++)
                {
                    chain[r][c] = Term::add(chain[r][c], x[r], w[c]);
                }
            }
        }

        if (step % SIMT_CHAIN == SIMT_CHAIN - 1 || step == steps - 1)
        {
#pragma unroll
            for (int r = 0; r < 8; r++)
            {
#pragma unroll
                for (int c = 0; c < 8; c++)
                {
                    sum[r][c] += chain[r][c];
                    chain[r][c] = 0;
                }
            }
        }
    }
}

// The thread's sums into results; place says where a row of them stands.
template <typename Place>
__device__ __forceinline__ void simt_results(const LinearArguments& a, const float (&sum)[8][8], int rows, int firstRow, int firstColumn, const Place& place)
{
    // A loop that picks its registers: one copy of the epilogue instead of sixteen.
    for (int group = 0; group < 16; group++)
    {
        float v[4];
#pragma unroll
        for (int own = 0; own < 16; own++)
        {
            if (own == group)
            {
#pragma unroll
                for (int e = 0; e < 4; e++)
                {
                    v[e] = sum[own / 2][own % 2 * 4 + e];
                }
            }
        }

        int m = firstRow + simt_row() + group / 2 % 4 + group / 8 * 64, c = firstColumn + simt_column() + group % 2 * 32;
        if (m < rows && c < a.columns)
        {
            float bias[4];
            linear_bias<float>(a, c, bias);
            linear_finish<float, float>(a, (float*)a.y + blockIdx.z * a.partStride, place(m), c, bias, v);
        }
    }
}

template <bool A_DEEP, bool B_DEEP>
__device__ __forceinline__ void linear_simt(const LinearArguments& a)
{
    __shared__ __align__(16) SimtTiles tiles;
    int rows = live_rows(a.live, a.rows);
    int i, j;
    linear_tile((a.rows + SIMT_ROWS - 1) / SIMT_ROWS, (a.columns + SIMT_COLUMNS - 1) / SIMT_COLUMNS, i, j);
    int firstRow = i * SIMT_ROWS, firstColumn = j * SIMT_COLUMNS;
    if (firstRow >= rows)
    {
        return;
    }

    int begin = blockIdx.z * a.partDepth;
    int end = min(begin + a.partDepth, a.depth);
    SimtOperand<SIMT_ROWS, A_DEEP> left(a.a, a.aStride, a.aVectors, firstRow, rows, begin, end);
    SimtOperand<SIMT_COLUMNS, B_DEEP> right(a.b, a.bStride, a.bVectors, firstColumn, a.columns, begin, end);
    float sum[8][8];
    simt_sums(left, right, (end - begin + SIMT_STEP - 1) / SIMT_STEP, tiles, sum);
    simt_results(a, sum, rows, firstRow, firstColumn, SameRow());
}
