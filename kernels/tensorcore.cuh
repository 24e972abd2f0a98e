// Tiles of bf16 in shared memory for ldmatrix and mma.m16n8k16. A tile is rows of PIECES runs of 16 bytes; within a row the runs change places with
// the row number so that the eight rows which one phase of ldmatrix reads, at the same column, lie in eight different groups of four banks, as do
// eight runs that cp.async writes side by side.
#pragma once

#include "common.cuh"

#if HAS_BF16

// Place of run p of row r: a permutation of the runs of the row.
template <int PIECES>
__device__ __forceinline__ int tile_place(int r, int p)
{
    static_assert(PIECES % 8 == 0 || PIECES == 4 || PIECES == 10, "rows of 32, 80 or a multiple of 64 elements");
    return PIECES % 8 == 0 ? p ^ (r & 7) : PIECES == 4 ? p ^ (r >> 1 & 3) : p ^ (r >> 2 & 1);
}

// Byte offset of run p of row r in the tile.
template <int PIECES>
__device__ __forceinline__ int tile_offset(int r, int p)
{
    return (r * PIECES + tile_place<PIECES>(r, p)) * 16;
}

__device__ __forceinline__ uint32 shared_address(const void* p)
{
    return (uint32)__cvta_generic_to_shared(p);
}

// Eight floats as eight bf16.
__device__ __forceinline__ uint4 pack_bf16(const float (&x)[8])
{
    return make_uint4(ptx_cvt_bf16x2(x[0], x[1]), ptx_cvt_bf16x2(x[2], x[3]), ptx_cvt_bf16x2(x[4], x[5]), ptx_cvt_bf16x2(x[6], x[7]));
}

// The 16-byte run of elements [first, first + 8) of a row with the given distance between elements, element by element, zeros from count on.
template <typename S>
__device__ __forceinline__ uint4 gather_bf16(const S* row, int64 step, int first, int count)
{
    float x[8];
#pragma unroll
    for (int i = 0; i < 8; i++)
    {
        x[i] = first + i < count ? to_float(row[(first + i) * step]) : 0.0f;
    }

    return pack_bf16(x);
}

#endif
