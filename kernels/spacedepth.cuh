// Moves between 2x2 blocks of pixels and pixels of four times the channels: depth channel 4c + 2i + j is channel c of the block's pixel in row i,
// column j. space [B,2h,2w,C], depth [B,h,w,4C] of T, pixels apart by strides.
// A row of the grid is a pixel of the deep side, a thread owns 16 bytes of it: a quarter as many channels of each of the four pixels, so
// that every access of a warp is one run of bytes.
#pragma once

#include "elements.cuh"

struct SpaceDepthArguments
{
    const void* x;
    void* y;
    const int* live;
    int64 spaceStride;
    int64 depthStride;
    ElementGrid grid;
    int width;
};

// Offset of the upper left pixel of the block.
__device__ __forceinline__ int64 space_pixel(int64 deep, int width)
{
    return deep / width * 4 * width + deep % width * 2;
}

template <typename T, bool TO_DEPTH>
struct SpaceDepth
{
    const SpaceDepthArguments& a;

    template <int N>
    __device__ __forceinline__ void at(int64 row, int64 column) const
    {
        constexpr int V = N >= 4 ? N / 4 : 1;
        const T* from = (const T*)a.x;
        T* to = (T*)a.y;
        int64 space = space_pixel(row, a.width) * a.spaceStride + column / 4;
        int64 deep = row * a.depthStride + column;
        int64 offsets[4] = {0, a.spaceStride, 2 * a.width * a.spaceStride, (2 * a.width + 1) * a.spaceStride};
        if (N == 1)
        {
            int quarter = column % 4;
            int64 at = space + (quarter / 2 * 2 * a.width + quarter % 2) * a.spaceStride;
            to[TO_DEPTH ? deep : at] = from[TO_DEPTH ? at : deep];
            return;
        }

        Pack<T, N> run;
        if (!TO_DEPTH)
        {
            run = *(const Pack<T, N>*)(from + deep);
        }

#pragma unroll
        for (int pixel = 0; pixel < 4; pixel++)
        {
            Pack<T, V> part;
            if (TO_DEPTH)
            {
                part = *(const Pack<T, V>*)(from + space + offsets[pixel]);
            }

#pragma unroll
            for (int v = 0; v < V; v++)
            {
                if (TO_DEPTH)
                {
                    run.at[4 * v + pixel] = part.at[v];
                }
                else
                {
                    part.at[v] = run.at[4 * v + pixel];
                }
            }

            if (!TO_DEPTH)
            {
                *(Pack<T, V>*)(to + space + offsets[pixel]) = part;
            }
        }

        if (TO_DEPTH)
        {
            *(Pack<T, N>*)(to + deep) = run;
        }
    }
};
