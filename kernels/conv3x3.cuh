// What the 3x3 convolutions share: the left operand of a convolution as a matrix product, which is never in memory. Row m has the pixels that output m sees, tap by tap, the channels of a
// pixel adjacent, zeros where a tap lies outside the map: k = tap · C + c. Operand loaders of linearmma.cuh and linearsimt.cuh read its tiles from
// the map itself: a thread's runs of one step have one tap and one place in the channels, its rows differ in the pixel alone, and one bit per tap says
// whether a row's pixel is inside the map.
#pragma once

#include "linearmma.cuh"
#include "linearsimt.cuh"

struct PatchArguments
{
    int64 stride; // elements from pixel to pixel
    int channels;
    int height;
    int width;
    int outHeight; // outputs of one parity where the map is enlarged
    int outWidth;
    int step; // output (i, j) sees pixels (step·i + first.., step·j + first..), taps x taps of them
    int first;
    int taps;
    int doubled; // blockIdx.z is the parity of the outputs' row and column, which are then every other one of y
};

// First pixel, relative to an output's own, in rows and in columns.
__device__ __forceinline__ int patch_first_row(const PatchArguments& p)
{
    return p.doubled ? (int)blockIdx.z / 2 - 1 : p.first;
}

__device__ __forceinline__ int patch_first_column(const PatchArguments& p)
{
    return p.doubled ? (int)blockIdx.z % 2 - 1 : p.first;
}

struct Conv3x3Arguments
{
    LinearArguments product;
    PatchArguments patch;
};

// The weights of one parity of outputs.
template <typename T>
__device__ __forceinline__ const T* conv3x3_weights(const LinearArguments& a)
{
    return (const T*)a.b + (int64)blockIdx.z * a.columns * a.depth;
}

// Where output m stands in y and residual.
struct PatchRow
{
    int width, doubled;

    __device__ __forceinline__ int64 operator()(int m) const
    {
        if (!doubled)
        {
            return m;
        }

        int line = m / width;
        return (2 * (int64)line + blockIdx.z / 2) * 2 * width + 2 * (m - line * width) + blockIdx.z % 2;
    }
};

// The first pixel that an output sees, counted over all images, and which of its taps are inside the map. Outputs come in rising order.
struct Patch
{
    int64 pixel;
    uint32 inside;

    __device__ __forceinline__ Patch(const PatchArguments& p, int m)
    {
        int line = m / p.outWidth, image = line / p.outHeight;
        int row = (line - image * p.outHeight) * p.step + patch_first_row(p), column = (m - line * p.outWidth) * p.step + patch_first_column(p);
        pixel = ((int64)image * p.height + row) * p.width + column;
        uint32 columns = 0;
        inside = 0;
#pragma unroll
        for (int tap = 0; tap < 3; tap++)
        {
            columns |= (uint32)(tap < p.taps && (uint32)(column + tap) < (uint32)p.width) << tap;
        }

#pragma unroll
        for (int tap = 0; tap < 3; tap++)
        {
            inside |= tap < p.taps && (uint32)(row + tap) < (uint32)p.height ? columns << tap * p.taps : 0;
        }
    }
};

// A place in the depth of the product that moves on by steps.
struct PatchDepth
{
    int tap, channel;
    int64 offset; // from an output's first pixel

    __device__ __forceinline__ PatchDepth(const PatchArguments& p, int k) : tap(k / p.channels), channel(k % p.channels) { locate(p); }

    __device__ __forceinline__ void step(const PatchArguments& p, int by)
    {
        channel += by;
        offset += by;
        if (channel >= p.channels)
        {
            for (; channel >= p.channels; channel -= p.channels)
            {
                tap++;
            }

            locate(p);
        }
    }

    __device__ __forceinline__ void locate(const PatchArguments& p)
    {
        int row = tap / p.taps;
        offset = ((int64)row * p.width + tap - row * p.taps) * p.stride + channel;
    }
};

// The pixels of RUNS rows of a thread, SPACING apart from `row` on; rows beyond the last repeat it.
template <typename T, int RUNS, int SPACING>
struct PatchRuns
{
    const T* map; // the first row's first pixel
    int distance[RUNS];
    uint32 inside[RUNS];

    __device__ __forceinline__ PatchRuns(const void* x, const PatchArguments& p, int first, int row, int rows)
    {
        int64 pixel = 0;
#pragma unroll
        for (int i = 0; i < RUNS; i++)
        {
            Patch patch(p, min(first + row + i * SPACING, rows - 1));
            pixel = i == 0 ? patch.pixel : pixel;
            distance[i] = (int)((patch.pixel - pixel) * p.stride);
            inside[i] = patch.inside;
        }

        map = (const T*)x + pixel * p.stride;
    }

    // Taps beyond the last are outside.
    __device__ __forceinline__ bool valid(int i, const PatchDepth& k) const { return inside[i] >> k.tap & 1; }

    __device__ __forceinline__ const T* at(int i, const PatchDepth& k) const { return map + k.offset + distance[i]; }
};

// fp32 map for linearsimt.cuh.
struct SimtPatches
{
    SimtRuns<SIMT_ROWS, true> runs;
    PatchArguments p;
    PatchRuns<float, SimtRuns<SIMT_ROWS, true>::RUNS, SimtRuns<SIMT_ROWS, true>::SPACING> patches;
    PatchDepth depth;
    bool vectors;

    __device__ __forceinline__ SimtPatches(const void* x, const PatchArguments& p, bool vectors, int first, int rows)
        : p(p), patches(x, p, first, runs.row, rows), depth(p, runs.group * 4), vectors(vectors)
    {
    }

    __device__ __forceinline__ void fetch()
    {
        if (vectors)
        {
#pragma unroll
            for (int i = 0; i < runs.RUNS; i++)
            {
                bool valid = patches.valid(i, depth);
                runs.fetch(i, valid ? patches.at(i, depth) : patches.map, valid ? 4 : 0, true);
            }
        }
        else
        {
            PatchDepth k = depth;
#pragma unroll
            for (int e = 0; e < 4; e++)
            {
#pragma unroll
                for (int i = 0; i < runs.RUNS; i++)
                {
                    runs.kept[i][e] = patches.valid(i, k) ? *patches.at(i, k) : 0.0f;
                }

                k.step(p, 1);
            }
        }

        depth.step(p, SIMT_STEP);
    }
};

#if HAS_BF16

// bf16 map with aligned runs for linearmma.cuh, copied in the background.
template <int ROWS, int THREADS>
struct AsyncPatches
{
    static constexpr int PIECES = LINEAR_STEP / 8;
    static constexpr int SPACING = THREADS / PIECES;
    static constexpr int RUNS = ROWS / SPACING;

    PatchArguments p;
    PatchRuns<bf16, RUNS, SPACING> patches;
    PatchDepth depth;

    __device__ __forceinline__ AsyncPatches(const void* x, const PatchArguments& p, int first, int rows)
        : p(p), patches(x, p, first, threadIdx.x / PIECES, rows), depth(p, threadIdx.x % PIECES * 8)
    {
    }

    __device__ __forceinline__ void start(uint32 tile)
    {
#pragma unroll
        for (int i = 0; i < RUNS; i++)
        {
            bool valid = patches.valid(i, depth);
            ptx_cp_async16(tile + tile_offset<PIECES>(threadIdx.x / PIECES + i * SPACING, threadIdx.x % PIECES), valid ? patches.at(i, depth) : patches.map, valid ? 16 : 0);
        }

        depth.step(p, LINEAR_STEP);
    }

    __device__ __forceinline__ void finish(uint8*) {}
};

// Any alignment, element by element.
template <int ROWS, int THREADS>
struct AnyPatches
{
    static constexpr int PIECES = LINEAR_STEP / 8;
    static constexpr int SPACING = THREADS / PIECES;
    static constexpr int RUNS = ROWS / SPACING;

    PatchArguments p;
    PatchRuns<bf16, RUNS, SPACING> patches;
    PatchDepth depth;

    __device__ __forceinline__ AnyPatches(const void* x, const PatchArguments& p, int first, int rows)
        : p(p), patches(x, p, first, threadIdx.x % SPACING, rows), depth(p, threadIdx.x / SPACING * 8)
    {
    }

    __device__ __forceinline__ void start(uint32) {}

    __device__ __forceinline__ void finish(uint8* tile)
    {
#pragma unroll
        for (int i = 0; i < RUNS; i++)
        {
            float x[8];
            PatchDepth k = depth;
#pragma unroll
            for (int e = 0; e < 8; e++)
            {
                x[e] = patches.valid(i, k) ? to_float(*patches.at(i, k)) : 0.0f;
                k.step(p, 1);
            }

            *(uint4*)(tile + tile_offset<PIECES>(threadIdx.x % SPACING + i * SPACING, threadIdx.x / SPACING)) = pack_bf16(x);
        }

        depth.step(p, LINEAR_STEP);
    }
};

// One block's tile. A is a loader of patches, B one of weights.
template <typename S, typename A, typename B>
__device__ __forceinline__ void conv3x3_mma(const Conv3x3Arguments& arguments)
{
    extern __shared__ __align__(128) uint8 shared[];
    const LinearArguments& a = arguments.product;
    int i, j;
    linear_tile((a.rows + S::BM - 1) / S::BM, (a.columns + S::BN - 1) / S::BN, i, j);
    int firstRow = i * S::BM, firstColumn = j * S::BN;
    A left(a.a, arguments.patch, firstRow, a.rows);
    B right(conv3x3_weights<bf16>(a), a.bStride, false, true, firstColumn, a.columns, 0, a.depth);
    float sum[S::MT][S::NT][4];
    linear_sums<S, true, true>(left, right, (a.depth + LINEAR_STEP - 1) / LINEAR_STEP, shared, sum);
    linear_results<S>(a, shared, sum, a.rows, firstRow, firstColumn, PatchRow{arguments.patch.outWidth, arguments.patch.doubled});
}

#endif
