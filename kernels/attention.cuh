// What the attention kernels share: their arguments and, for bf16, tiles of one head in shared memory.
//   q, o, dO, dq [B,Sq,H·D], k, v, dk, dv [B,Skv,H·D] of T, head-major channels, row strides; logSumExp and delta [B,H,Sq] fp32
// Kernels come in head widths of 32, 64, 80 (tensor cores only) and 128; any other width up to 128 runs in the next wider one, zeros beyond its end.
#pragma once

#include "tensorcore.cuh"

struct AttentionArguments
{
    const void* q;
    const void* k;
    const void* v;
    const void* o;
    const void* d_o;
    void* out; // o in the forward direction
    void* dq;
    void* dk;
    void* dv;
    float* logSumExp;
    float* delta; // Σ_d dO·o per query and head
    int64 qStride;
    int64 kStride;
    int64 vStride;
    int64 oStride;
    int64 d_oStride;
    int64 dqStride;
    int64 dkStride;
    int64 dvStride;
    int heads;
    int queries;
    int keys;
    int width;
    int causal;
    int vectors; // every tensor moves in 16-byte runs
    float scale;      // 1/sqrt(width)
    float scaleLog2E; // log2(e)/sqrt(width), rounded once
};

constexpr float LOG2_E = 1.4426950408889634f;
constexpr float LN_2 = 0.6931471805599453f;

// First element of a head of an image in a tensor of rows per image.
template <typename T>
__device__ __forceinline__ T* head_rows(T* tensor, int64 stride, int rows, int image, int head, int width)
{
    return tensor + (int64)image * rows * stride + head * width;
}

#if HAS_BF16

// A tile of ROWS tokens of one head, D elements each, filled and emptied by all threads of a block or by a warp.
template <int D, int ROWS>
struct HeadTile
{
    static constexpr int PIECES = D / 8;
    static constexpr int BYTES = ROWS * D * 2;

    // Starts filling rows [first, first + ROWS) of a head's tokens, zeros beyond the last one and beyond the width.
    template <int THREADS>
    static __device__ __forceinline__ void load(uint8* tile, const bf16* head, int64 stride, int first, int rows, int width, bool vectors)
    {
        if (vectors)
        {
            uint32 address = shared_address(tile);
// Unrolled further, the compiler keeps an address per run through the loop over tokens.
#pragma unroll 2
            for (int n = 0; n < ROWS * PIECES; n += THREADS)
            {
                int i = n + threadIdx.x;
                int r = i / PIECES, p = i % PIECES;
                if (ROWS * PIECES % THREADS == 0 || i < ROWS * PIECES)
                {
                    bool valid = first + r < rows && p * 8 < width;
                    ptx_cp_async16(address + tile_offset<PIECES>(r, p), valid ? head + (first + r) * stride + p * 8 : head, valid ? 16 : 0);
                }
            }

            return;
        }

        for (int i = threadIdx.x; i < ROWS * PIECES; i += THREADS)
        {
            int r = i / PIECES, p = i % PIECES;
            *(uint4*)(tile + tile_offset<PIECES>(r, p)) = gather_bf16(head + (first + r) * stride, 1, p * 8, first + r < rows ? width : 0);
        }
    }

    // Stores 16·M rows of fp32 fragments, each times its factor, to tokens first on; through rows `own` on of a tile that no other warp uses.
    template <int M>
    static __device__ __forceinline__ void store(uint8* tile, int own, const float (&x)[M][D / 8][4], const float (&factor)[M][2], bf16* head, int64 stride,
        int first, int rows, int width, bool vectors)
    {
        int lane = threadIdx.x % 32;
        __syncwarp();
#pragma unroll
        for (int m = 0; m < M; m++)
        {
#pragma unroll
            for (int n = 0; n < D / 8; n++)
            {
                int r = own + m * 16 + lane / 4;
                *(uint32*)(tile + tile_offset<PIECES>(r, n) + lane % 4 * 4) = ptx_cvt_bf16x2(x[m][n][0] * factor[m][0], x[m][n][1] * factor[m][0]);
                *(uint32*)(tile + tile_offset<PIECES>(r + 8, n) + lane % 4 * 4) = ptx_cvt_bf16x2(x[m][n][2] * factor[m][1], x[m][n][3] * factor[m][1]);
            }
        }

        __syncwarp();
        for (int i = lane; i < 16 * M * PIECES; i += 32)
        {
            int r = i / PIECES, p = i % PIECES;
            int count = width - p * 8;
            if (first + r >= rows || count <= 0)
            {
                continue;
            }

            uint4 run = *(const uint4*)(tile + tile_offset<PIECES>(own + r, p));
            bf16* target = head + (first + r) * stride + p * 8;
            if (vectors)
            {
                *(uint4*)target = run;
                continue;
            }

            uint32 pairs[4] = {run.x, run.y, run.z, run.w};
#pragma unroll
            for (int e = 0; e < 8; e++)
            {
                if (e < count)
                {
                    target[e] = bf16{(uint16)(pairs[e / 2] >> e % 2 * 16)};
                }
            }
        }
    }
};

// Where a lane reads the fragments of a tile: as left operand and, transposed, as right operand summed over tokens (rows first), or as right operand
// summed over elements (runs first).
template <int D>
struct HeadFragments
{
    static constexpr int PIECES = D / 8;

    uint32 rowsFirst, runsFirst;

    __device__ __forceinline__ HeadFragments()
    {
        int lane = threadIdx.x % 32;
        rowsFirst = tile_offset<PIECES>(lane % 16, lane / 16);
        runsFirst = tile_offset<PIECES>(lane % 8 + lane / 16 * 8, lane / 8 % 2);
    }

    // 16 rows from `row` on (a multiple of 16) by 16 elements from 16·k on, as left operand.
    __device__ __forceinline__ void left(uint32 tile, int row, int k, uint32 (&m)[4]) const { ptx_ldmatrix(m, tile + at(rowsFirst, row, k)); }

    // The same elements as right operand: rows are columns of the product, elements are summed over.
    __device__ __forceinline__ void right(uint32 tile, int row, int k, uint32 (&m)[4]) const { ptx_ldmatrix(m, tile + at(runsFirst, row, k)); }

    // The same elements as right operand: rows are summed over, elements are columns of the product.
    __device__ __forceinline__ void summed(uint32 tile, int row, int k, uint32 (&m)[4]) const { ptx_ldmatrix_transposed(m, tile + at(rowsFirst, row, k)); }

private:
    static __device__ __forceinline__ uint32 at(uint32 offset, int row, int k)
    {
        // Only the low three bits of a run change with the row.
        return (PIECES == 10 ? offset + k * 32 : (offset ^ k % 4 * 32) + k / 4 * 128) + row * PIECES * 16;
    }
};

// Sums of two adjacent tiles of 8 columns as a left operand of 16 k.
__device__ __forceinline__ void sums_as_left(const float (&low)[4], const float (&high)[4], uint32 (&m)[4])
{
    m[0] = ptx_cvt_bf16x2(low[0], low[1]);
    m[1] = ptx_cvt_bf16x2(low[2], low[3]);
    m[2] = ptx_cvt_bf16x2(high[0], high[1]);
    m[3] = ptx_cvt_bf16x2(high[2], high[3]);
}

#endif
