// The head's matrix product fused with the draw of codes: logits never reach memory.
//   logits of a row = hidden head^T, of the conditional and the unconditional hidden row; then as guidedsample.cu
//   conditional, unconditional [.,K] and head [V,K] of T; outputs as in guidedsample.cu; a workspace [R,chunks] of GuidedChunk between the two kernels
//   floor     4·R·K·V operations (half of it without unconditional rows); sizeof(T)·(2·R·K + V·K) bytes and 48 bytes per 128 codes and row.
//             At R = 8192, K = 1024, V = 8192 in bf16: 275 GFLOP, 881 us at A100's 312 TFLOP/s
//   geometry  bf16: the 128 x 128 tile of linear.cu, a column tile being a chunk of 128 codes, a row tile 64 conditional rows and the 64 unconditional
//             ones that belong to them (128 conditional rows when there are no others). The warps of the first bring their sums to shared memory,
//             those of the second guide them there, then every warp takes rows: maximum, sums and draw of the chunk. fp32: the same with codes as
//             rows and 32 + 32 hidden rows as columns of the 128 x 64 tile, guided in registers.
//             headsample_finish: a warp per row puts its chunks together
//   limiter   as linear.cu; the draw adds about 150 operations per code and row to 4·K
// Logits are the very sums of linear.cu and everything after them is guidedrow.cuh: bits equal Linear followed by GuidedSample.
#include "guidedrow.cuh"
#include "linearmma.cuh"
#include "linearsimt.cuh"

struct HeadSampleArguments
{
    GuidedPlaces places;
    const void* conditional;
    const void* unconditional;
    const void* head;
    GuidedChunk* chunks;
    int64 conditionalStride;
    int64 unconditionalStride;
    int depth;
    int codes;
    int vectors;
};

__device__ __forceinline__ int headsample_chunk_count(const HeadSampleArguments& a)
{
    return (a.codes + GUIDED_CHUNK - 1) / GUIDED_CHUNK;
}

// Where 4-float group q of row r of a slab [.,128] of logits stands: fragments are written and rows are read without bank conflict.
__device__ __forceinline__ float* headsample_place(float* slab, int r, int q)
{
    return slab + r * GUIDED_CHUNK + (q ^ (r >> 2 & 7) ^ (r & 3) * 2) * 4;
}

// The ROWS hidden rows of a tile: first the conditional ones, then, when there are such, the unconditional ones in the second half; and their scales.
template <int ROWS, typename T>
__device__ __forceinline__ void headsample_sources(const HeadSampleArguments& a, int first, int rows, const T** sources, float* scales)
{
    int within = a.unconditional == nullptr ? ROWS : ROWS / 2;
    for (int i = threadIdx.x; i < ROWS; i += blockDim.x)
    {
        int row = min(first + i % within, rows - 1);
        int place = a.places.rows[row];
        bool free = i >= within;
        const int* at = free ? a.places.unconditionalAt : a.places.conditionalAt;
        sources[i] = (const T*)(free ? a.unconditional : a.conditional) + (at == nullptr ? row : at[place]) * (free ? a.unconditionalStride : a.conditionalStride);
        scales[i] = guided_scale_of(a.places, place);
    }

    __syncthreads();
}

__device__ __forceinline__ float headsample_logit(float c, float u, float s)
{
    return s == 1.0f ? c : guided_logit(c, u, s);
}

// Chunk `chunk` of rows [first, first + count) whose logits stand in the slab; quads is room for 128 floats per warp.
__device__ __forceinline__ void headsample_chunks(const HeadSampleArguments& a, float* slab, float* quads, int first, int count, int rows, int chunk)
{
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    for (int r = warp; r < min(count, rows - first); r += blockDim.x / 32)
    {
        float z[4];
#pragma unroll
        for (int i = 0; i < 4; i++)
        {
            int c = 32 * i + lane;
            z[i] = chunk * GUIDED_CHUNK + c < a.codes ? headsample_place(slab, r, c / 4)[c % 4] : -INFINITY;
        }

        int row = first + r;
        GuidedChunk result = guided_chunk(z, chunk, guided_draw_of(a.places, a.places.rows[row]), quads + warp * GUIDED_CHUNK);
        if (lane == 0)
        {
            a.chunks[(int64)row * headsample_chunk_count(a) + chunk] = result;
        }
    }
}

// Listed rows of fp32 as an operand of the product (linearsimt.cuh).
struct ListedSimtOperand
{
    SimtRuns<SIMT_COLUMNS, true> runs;
    const float* next[SimtRuns<SIMT_COLUMNS, true>::RUNS];
    int left;
    bool vectors;

    __device__ __forceinline__ ListedSimtOperand(const float* const* sources, bool vectors, int depth) : left(depth), vectors(vectors)
    {
#pragma unroll
        for (int i = 0; i < runs.RUNS; i++)
        {
            next[i] = sources[runs.row + i * runs.SPACING] + runs.group * 4;
        }
    }

    __device__ __forceinline__ void fetch()
    {
#pragma unroll
        for (int i = 0; i < runs.RUNS; i++)
        {
            runs.fetch(i, next[i], left - runs.group * 4, vectors);
            next[i] += SIMT_STEP;
        }

        left -= SIMT_STEP;
    }
};

extern "C" __global__ void __launch_bounds__(SIMT_THREADS, 2) headsample_f32(const HeadSampleArguments a)
{
    constexpr int HALF = SIMT_COLUMNS / 2;
    __shared__ __align__(16) SimtTiles tiles;
    __shared__ const float* sources[SIMT_COLUMNS];
    __shared__ float scales[SIMT_COLUMNS];
    bool guided = a.unconditional != nullptr;
    int rows = live_rows(a.places.live, a.places.count);
    int tileRows = guided ? HALF : SIMT_COLUMNS;
    int i, chunk;
    linear_tile((a.places.count + tileRows - 1) / tileRows, headsample_chunk_count(a), i, chunk);
    int first = i * tileRows;
    if (first >= rows)
    {
        return;
    }

    headsample_sources<SIMT_COLUMNS>(a, first, rows, sources, scales);
    SimtOperand<SIMT_ROWS, true> left(a.head, a.depth, a.vectors, chunk * GUIDED_CHUNK, a.codes, 0, a.depth);
    ListedSimtOperand right(sources, a.vectors, a.depth);
    float sum[8][8];
    simt_sums(left, right, (a.depth + SIMT_STEP - 1) / SIMT_STEP, tiles, sum);

    // A thread has codes simt_row() + {0..3, 64..67} of hidden rows simt_column() + {0..3} in both halves.
    float* slab = tiles[0];
    float* quads = slab + HALF * GUIDED_CHUNK;
    static_assert(sizeof(SimtTiles) >= (HALF + SIMT_THREADS / 32) * GUIDED_CHUNK * sizeof(float), "logits and turned chunks fit the tiles");
#pragma unroll
    for (int half = 0; half < 2; half++)
    {
        if (half == 1 && guided)
        {
            break;
        }

        __syncthreads();
#pragma unroll
        for (int c = 0; c < 4; c++)
        {
            int r = simt_column() + c;
            float s = scales[r];
#pragma unroll
            for (int g = 0; g < 8; g += 4)
            {
                float z[4];
#pragma unroll
                for (int e = 0; e < 4; e++)
                {
                    z[e] = guided ? headsample_logit(sum[g + e][c], sum[g + e][c + 4], s) : sum[g + e][c + half * 4];
                }

                *(float4*)headsample_place(slab, r, (simt_row() + g * 16) / 4) = make_float4(z[0], z[1], z[2], z[3]);
            }
        }

        __syncthreads();
        headsample_chunks(a, slab, quads, first + half * HALF, HALF, rows, chunk);
    }
}

extern "C" __global__ void __launch_bounds__(128) headsample_finish(const HeadSampleArguments a)
{
    int row = blockIdx.x * 4 + threadIdx.x / 32;
    if (row >= live_rows(a.places.live, a.places.count))
    {
        return;
    }

    int place = a.places.rows[row];
    int count = headsample_chunk_count(a);
    const GuidedChunk* chunks = a.chunks + (int64)row * count;
    guided_finish(a.places, place, guided_draw_of(a.places, place).inverse, count, [&](int k) -> const GuidedChunk& { return chunks[k]; });
}

#if HAS_BF16

// Listed rows of bf16 as an operand of the product (linearmma.cuh), copied in the background.
template <int ROWS, int THREADS>
struct ListedAsyncOperand
{
    static constexpr int PIECES = LINEAR_STEP / 8, SPACING = THREADS / PIECES, RUNS = ROWS / SPACING;
    static constexpr bool KEEPS_LIST = false;

    const bf16* next[RUNS];
    int row, piece, left;

    __device__ __forceinline__ ListedAsyncOperand(const bf16* const* sources, int depth) : row(threadIdx.x / PIECES), piece(threadIdx.x % PIECES), left(depth)
    {
#pragma unroll
        for (int i = 0; i < RUNS; i++)
        {
            next[i] = sources[row + i * SPACING] + piece * 8;
        }
    }

    __device__ __forceinline__ void start(uint32 tile)
    {
#pragma unroll
        for (int i = 0; i < RUNS; i++)
        {
            ptx_cp_async16(tile + tile_offset<PIECES>(row + i * SPACING, piece), next[i], piece * 8 < left ? 16 : 0);
            next[i] += LINEAR_STEP;
        }

        left -= LINEAR_STEP;
    }

    __device__ __forceinline__ void finish(uint8*) {}
};

// The same element by element, for rows without 16-byte runs.
template <int ROWS, int THREADS>
struct ListedAnyOperand
{
    static constexpr int PIECES = LINEAR_STEP / 8;
    static constexpr bool KEEPS_LIST = true;

    const bf16* const* sources;
    int next, end;

    __device__ __forceinline__ ListedAnyOperand(const bf16* const* sources, int depth) : sources(sources), next(0), end(depth) {}

    __device__ __forceinline__ void start(uint32) {}

    __device__ __forceinline__ void finish(uint8* tile)
    {
        for (int i = threadIdx.x; i < ROWS * PIECES; i += THREADS)
        {
            int row = i % ROWS, piece = i / ROWS;
            *(uint4*)(tile + tile_offset<PIECES>(row, piece)) = gather_bf16(sources[row], 1, next + piece * 8, end);
        }

        next += LINEAR_STEP;
    }
};

template <typename Listed, typename Head>
__device__ __forceinline__ void headsample_mma(const HeadSampleArguments& a)
{
    using S = LinearMedium;
    constexpr int HALF = S::WM;
    static_assert(S::BM == 2 * HALF && S::BN == GUIDED_CHUNK, "the warps of a row of the tile have one branch of a chunk");
    static_assert(S::STAGES * S::STAGE_BYTES >= (HALF + S::THREADS / 32) * GUIDED_CHUNK * sizeof(float), "logits and turned chunks fit the ring");
    extern __shared__ __align__(128) uint8 shared[];
    float* scales = (float*)(shared + S::STAGES * S::STAGE_BYTES);

    // The last stage is filled only when every thread has taken its rows from the list; two blocks fit an SM of 100 KiB this way.
    const bf16** sources = Listed::KEEPS_LIST ? (const bf16**)(scales + S::BM) : (const bf16**)(shared + (S::STAGES - 1) * S::STAGE_BYTES);
    bool guided = a.unconditional != nullptr;
    int rows = live_rows(a.places.live, a.places.count);
    int tileRows = guided ? HALF : S::BM;
    int i, chunk;
    linear_tile((a.places.count + tileRows - 1) / tileRows, headsample_chunk_count(a), i, chunk);
    int first = i * tileRows;
    if (first >= rows)
    {
        return;
    }

    headsample_sources<S::BM>(a, first, rows, sources, scales);
    Listed left(sources, a.depth);
    Head right(a.head, a.depth, false, true, chunk * GUIDED_CHUNK, a.codes, 0, a.depth);
    float sum[S::MT][S::NT][4];
    linear_sums<S, true, true>(left, right, (a.depth + LINEAR_STEP - 1) / LINEAR_STEP, shared, sum);

    // One half of the tile's rows at a time: what its warps leave in the slab, guided by the other half's warps when there is an unconditional branch.
    float* slab = (float*)shared;
    float* quads = slab + HALF * GUIDED_CHUNK;
    int lane = threadIdx.x % 32;
    auto put = [&](bool guides)
    {
#pragma unroll
        for (int m = 0; m < S::MT; m++)
        {
#pragma unroll
            for (int half = 0; half < 2; half++)
            {
                int r = m * 16 + lane / 4 + half * 8;
                float s = scales[r];
#pragma unroll
                for (int n = 0; n < S::NT; n++)
                {
                    float* place = headsample_place(slab, r, S::warp_column() / 4 + n * 2 + lane % 4 / 2) + lane % 2 * 2;
                    float z[2] = {sum[m][n][half * 2], sum[m][n][half * 2 + 1]};
                    if (guides)
                    {
                        float2 c = *(const float2*)place;
                        z[0] = headsample_logit(c.x, z[0], s);
                        z[1] = headsample_logit(c.y, z[1], s);
                    }

                    ptx_store_shared(shared_address(place), z[0], z[1]);
                }
            }
        }
    };
    for (int half = 0; half < 2; half++)
    {
        __syncthreads();
        if (S::warp_row() == half * HALF)
        {
            put(guided && half == 1);
        }

        if (guided && half == 0)
        {
            continue;
        }

        __syncthreads();
        headsample_chunks(a, slab, quads, first + (guided ? 0 : half * HALF), HALF, rows, chunk);
    }
}

extern "C" __global__ void __launch_bounds__(LinearMedium::THREADS, 2) headsample_bf16(const HeadSampleArguments a)
{
    headsample_mma<ListedAsyncOperand<LinearMedium::BM, LinearMedium::THREADS>, AsyncOperand<LinearMedium::BN, LinearMedium::THREADS, true>>(a);
}

extern "C" __global__ void __launch_bounds__(LinearMedium::THREADS, 2) headsample_any_bf16(const HeadSampleArguments a)
{
    headsample_mma<ListedAnyOperand<LinearMedium::BM, LinearMedium::THREADS>, AnyOperand<LinearMedium::BN, LinearMedium::THREADS>>(a);
}

#endif
