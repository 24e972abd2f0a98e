// The matrix product on tensor cores (see linear.cuh for what it computes and linear.cu for the floor).
//   A block of BM x BN results walks k in steps of 32 through a ring of STAGES tile pairs that cp.async fills ahead of use. A warp owns WM x WN of
//   them: per 16 k it reads WM/16 + WN/16 fragments with ldmatrix.x4 and issues WM·WN/128 mma.m16n8k16, the fragments of the next 16 k being read
//   before. Deep tiles stand as rows of 32 k, wide ones as 32 rows of BM or BN elements that ldmatrix transposes; both are swizzled (tensorcore.cuh),
//   so neither filling nor reading meets a bank conflict. Results leave through shared memory, 16 rows of a warp at a time, in whole 128-byte rows.
// The sum over k of an element is a chain of mma over ascending 16 k, zeros beyond the end: its bits depend on neither tile nor stage count.
#pragma once

#include "linear.cuh"
#include "tensorcore.cuh"

#if HAS_BF16

constexpr int LINEAR_STEP = 32;

// The operand tile of ROWS results' rows that all threads of a block fill. A thread's runs of 8 elements stand SPACING tile rows apart. Results' rows
// beyond the last one repeat it (their sums are never stored), k beyond the end is zero.
template <typename T, int ROWS, int THREADS, bool DEEP>
struct OperandRuns
{
    static constexpr int PIECES = DEEP ? LINEAR_STEP / 8 : ROWS / 8;
    static constexpr int HEIGHT = DEEP ? ROWS : LINEAR_STEP;
    static constexpr int SPACING = THREADS / PIECES;
    static constexpr int RUNS = HEIGHT / SPACING;

    const T* next;     // the thread's first run of the next tile
    int64 advance;     // from tile to tile
    int distance[RUNS]; // from the first run to each
    int row, piece, left; // left: k from the next tile on

    __device__ __forceinline__ OperandRuns(const void* tensor, int64 stride, int first, int rows, int begin, int end)
        : row(threadIdx.x / PIECES), piece(threadIdx.x % PIECES), left(end - begin)
    {
        int last = rows - 1 - first;
        int column = DEEP ? piece * 8 : first + min(piece, last / 8) * 8;
        int start = DEEP ? min(row, last) : row;
        next = (const T*)tensor + (DEEP ? (first + start) * stride + begin + column : (begin + row) * stride + column);
        advance = DEEP ? LINEAR_STEP : LINEAR_STEP * stride;
#pragma unroll
        for (int i = 0; i < RUNS; i++)
        {
            int r = row + i * SPACING;
            distance[i] = (int)(((DEEP ? min(r, last) : r) - start) * stride);
        }
    }

    // Whether run i of the next tile holds k before the end.
    __device__ __forceinline__ bool valid(int i) const { return DEEP ? piece * 8 < left : row + i * SPACING < left; }

    __device__ __forceinline__ int place(int i) const { return tile_offset<PIECES>(row + i * SPACING, piece); }

    __device__ __forceinline__ void step()
    {
        next += advance;
        left -= LINEAR_STEP;
    }
};

// bf16 in memory, copied in the background. All runs are aligned and whole.
template <int ROWS, int THREADS, bool DEEP>
struct AsyncOperand
{
    OperandRuns<bf16, ROWS, THREADS, DEEP> runs;

    __device__ __forceinline__ AsyncOperand(const void* tensor, int64 stride, bool, bool, int first, int rows, int begin, int end)
        : runs(tensor, stride, first, rows, begin, end)
    {
    }

    // Starts filling the next tile.
    __device__ __forceinline__ void start(uint32 tile)
    {
#pragma unroll
        for (int i = 0; i < runs.RUNS; i++)
        {
            ptx_cp_async16(tile + runs.place(i), runs.next + runs.distance[i], runs.valid(i) ? 16 : 0);
        }

        runs.step();
    }

    __device__ __forceinline__ void finish(uint8*) {}
};

// fp32 in memory, rounded to bf16 on the way: read into registers before the products of a step, put into shared memory after them.
template <int ROWS, int THREADS, bool DEEP>
struct FloatOperand
{
    OperandRuns<float, ROWS, THREADS, DEEP> runs;
    float4 low[OperandRuns<float, ROWS, THREADS, DEEP>::RUNS], high[OperandRuns<float, ROWS, THREADS, DEEP>::RUNS];

    __device__ __forceinline__ FloatOperand(const void* tensor, int64 stride, bool, bool, int first, int rows, int begin, int end)
        : runs(tensor, stride, first, rows, begin, end)
    {
    }

    __device__ __forceinline__ void start(uint32)
    {
#pragma unroll
        for (int i = 0; i < runs.RUNS; i++)
        {
            low[i] = high[i] = make_float4(0, 0, 0, 0);
            if (runs.valid(i))
            {
                low[i] = *(const float4*)(runs.next + runs.distance[i]);
                high[i] = *(const float4*)(runs.next + runs.distance[i] + 4);
            }
        }

        runs.step();
    }

    __device__ __forceinline__ void finish(uint8* tile)
    {
#pragma unroll
        for (int i = 0; i < runs.RUNS; i++)
        {
            *(uint4*)(tile + runs.place(i)) = make_uint4(ptx_cvt_bf16x2(low[i].x, low[i].y), ptx_cvt_bf16x2(low[i].z, low[i].w),
                ptx_cvt_bf16x2(high[i].x, high[i].y), ptx_cvt_bf16x2(high[i].z, high[i].w));
        }
    }
};

// Either type, any alignment and stride, element by element into a deep tile: the way for shapes that have no 16-byte runs. Neighbouring threads
// take neighbouring rows of the tile.
template <int ROWS, int THREADS>
struct AnyOperand
{
    static constexpr int PIECES = LINEAR_STEP / 8;

    const void* base;
    int64 rowStep, depthStep;
    int first, rows, next, end;
    bool isFloat;

    __device__ __forceinline__ AnyOperand(const void* tensor, int64 stride, bool isFloat, bool deep, int first, int rows, int begin, int end)
        : base(tensor), rowStep(deep ? stride : 1), depthStep(deep ? 1 : stride), first(first), rows(rows), next(begin), end(end), isFloat(isFloat)
    {
    }

    __device__ __forceinline__ void start(uint32) {}

    __device__ __forceinline__ void finish(uint8* tile)
    {
        for (int i = threadIdx.x; i < ROWS * PIECES; i += THREADS)
        {
            int row = i % ROWS, piece = i / ROWS;
            int count = first + row < rows ? end : 0;
            int64 at = (first + row) * rowStep;
            *(uint4*)(tile + tile_offset<PIECES>(row, piece)) = isFloat ? gather_bf16((const float*)base + at, depthStep, next + piece * 8, count)
                                                                        : gather_bf16((const bf16*)base + at, depthStep, next + piece * 8, count);
        }

        next += LINEAR_STEP;
    }
};

// Fragments of 16 rows x 16 k that a warp reads from an operand tile, from row `first` of the tile on.
template <int ROWS, bool DEEP, bool IS_A>
struct OperandFragments
{
    static constexpr int PIECES = DEEP ? LINEAR_STEP / 8 : ROWS / 8;

    uint32 offset;

    __device__ __forceinline__ explicit OperandFragments(int first)
    {
        // The four matrices of an ldmatrix.x4 in the order in which mma wants them: A row-first, B k-first.
        int lane = threadIdx.x % 32;
        bool rowsFirst = IS_A == DEEP;
        int r = rowsFirst ? lane % 16 : lane % 8 + lane / 16 * 8;
        int high = rowsFirst ? lane / 16 : lane / 8 % 2;
        offset = DEEP ? tile_offset<PIECES>(first + r, high) : tile_offset<PIECES>(r, first / 8 + high);
    }

    // Fragment i at the k of half 0 or 1 of the step.
    __device__ __forceinline__ void load(uint32 tile, int i, int half, uint32 (&m)[4]) const
    {
        if (DEEP)
        {
            ptx_ldmatrix(m, tile + (offset ^ half * 32) + i * 16 * PIECES * 16);
        }
        else
        {
            ptx_ldmatrix_transposed(m, tile + (offset ^ i * 32) + half * 16 * PIECES * 16);
        }
    }
};

template <int BM_, int BN_, int WM_, int WN_, int STAGES_>
struct LinearShape
{
    static constexpr int BM = BM_, BN = BN_, WM = WM_, WN = WN_, STAGES = STAGES_;
    static constexpr int WARP_ROWS = BM / WM, WARP_COLUMNS = BN / WN;
    static constexpr int THREADS = WARP_ROWS * WARP_COLUMNS * 32;
    static constexpr int MT = WM / 16, NT = WN / 8;
    static constexpr int STAGE_BYTES = (BM + BN) * LINEAR_STEP * 2;

    // First row and column of this warp in the tile.
    static __device__ __forceinline__ int warp_row() { return threadIdx.x / 32 / WARP_COLUMNS * WM; }

    static __device__ __forceinline__ int warp_column() { return threadIdx.x / 32 % WARP_COLUMNS * WN; }
};

// Where 4-float group q of row r of a warp's 16 x WN slab of sums stands: fragments are written and rows are read without bank conflict.
__device__ __forceinline__ int linear_slab_place(int r, int q)
{
    return q ^ (q >> 3 & 1) ^ ((r & 3) * 2 + (r & 1));
}

template <typename Y, int N, int WN, typename Place>
__device__ __forceinline__ void linear_slab_finish(const LinearArguments& a, const float* slab, Y* y, int rows, int firstRow, int firstColumn, const Place& place)
{
    constexpr int LANES = WN / N;
    int lane = threadIdx.x % 32;
    int within = lane % LANES * N;
    int column = firstColumn + within;
    float bias[N];
    linear_bias<bf16>(a, column, bias);
    for (int r = lane / LANES; r < 16; r += 32 / LANES)
    {
        float v[N];
#pragma unroll
        for (int i = 0; i < N; i += 4)
        {
            float4 four = *(const float4*)(slab + r * WN + linear_slab_place(r, (within + i) / 4) * 4);
            v[i] = four.x;
            v[i + 1] = four.y;
            v[i + 2] = four.z;
            v[i + 3] = four.w;
        }

        if (firstRow + r < rows && column < a.columns)
        {
            linear_finish<bf16, Y>(a, y, place(firstRow + r), column, bias, v);
        }
    }
}

// The sums of a warp's results over all steps of k: fragments m, n of the warp at rows warpRow, columns warpColumn of the block's tile. A and B are
// operand loaders; ring is S::STAGES stages of shared memory, free for other use when the function returns, after a barrier.
template <typename S, bool A_DEEP, bool B_DEEP, typename A, typename B>
__device__ __forceinline__ void linear_sums(A& left, B& right, int steps, uint8* ring, float (&sum)[S::MT][S::NT][4])
{
    constexpr int A_BYTES = S::BM * LINEAR_STEP * 2, RING_BYTES = S::STAGES * S::STAGE_BYTES;
    uint32 base = shared_address(ring);
    int filled = 0, read = 0; // stages, as offsets in the ring

    auto start = [&]()
    {
        left.start(base + filled);
        right.start(base + filled + A_BYTES);
    };
    auto finish = [&]()
    {
        left.finish(ring + filled);
        right.finish(ring + filled + A_BYTES);
        filled = filled + S::STAGE_BYTES == RING_BYTES ? 0 : filled + S::STAGE_BYTES;
    };

    for (int step = 0; step < S::STAGES - 1; step++)
    {
        if (step < steps)
        {
            start();
            finish();
        }

        ptx_cp_async_commit();
    }

    OperandFragments<S::BM, A_DEEP, true> leftFragments(S::warp_row());
    OperandFragments<S::BN, B_DEEP, false> rightFragments(S::warp_column());
    uint32 x[2][S::MT][4], w[2][S::NT / 2][4];
#pragma unroll
    for (int m = 0; m < S::MT; m++)
    {
#pragma unroll
        for (int n = 0; n < S::NT; n++)
        {
            sum[m][n][0] = sum[m][n][1] = sum[m][n][2] = sum[m][n][3] = 0;
        }
    }

    auto fetch = [&](int half)
    {
#pragma unroll
        for (int m = 0; m < S::MT; m++)
        {
            leftFragments.load(base + read, m, half, x[half][m]);
        }

#pragma unroll
        for (int n = 0; n < S::NT / 2; n++)
        {
            rightFragments.load(base + read + A_BYTES, n, half, w[half][n]);
        }
    };
    auto multiply = [&](int half)
    {
#pragma unroll
        for (int m = 0; m < S::MT; m++)
        {
#pragma unroll
            for (int n = 0; n < S::NT; n++)
            {
                ptx_mma_bf16(sum[m][n], x[half][m], w[half][n / 2][n % 2 * 2], w[half][n / 2][n % 2 * 2 + 1]);
            }
        }
    };

    ptx_cp_async_wait<S::STAGES - 2>();
    __syncthreads();
    if (steps > 0)
    {
        fetch(0);
    }

    for (int step = 0; step < steps; step++)
    {
        bool ahead = step + S::STAGES - 1 < steps;
        fetch(1);
        if (ahead)
        {
            start();
        }

        multiply(0);
        if (ahead)
        {
            finish();
        }

        // Every warp has read this stage: the next turn fills it.
        ptx_cp_async_commit();
        ptx_cp_async_wait<S::STAGES - 2>();
        __syncthreads();
        read = read + S::STAGE_BYTES == RING_BYTES ? 0 : read + S::STAGE_BYTES;
        if (step + 1 < steps)
        {
            fetch(0);
        }

        multiply(1);
    }
}

// The block's sums through shared memory into results; place says where a row of them stands.
template <typename S, typename Place>
__device__ __forceinline__ void linear_results(const LinearArguments& a, uint8* shared, const float (&sum)[S::MT][S::NT][4], int rows, int firstRow, int firstColumn, const Place& place)
{
    float* slab = (float*)shared + threadIdx.x / 32 * 16 * S::WN;
    uint32 slabAt = shared_address(slab);
    int lane = threadIdx.x % 32;
    for (int m = 0; m < S::MT; m++)
    {
        int r = lane / 4;
#pragma unroll
        for (int own = 0; own < S::MT; own++)
        {
            if (own == m)
            {
#pragma unroll
                for (int n = 0; n < S::NT; n++)
                {
                    int q = n * 2 + lane % 4 / 2, within = lane % 2 * 2;
                    ptx_store_shared(slabAt + (r * S::WN + linear_slab_place(r, q) * 4 + within) * 4, sum[own][n][0], sum[own][n][1]);
                    ptx_store_shared(slabAt + ((r + 8) * S::WN + linear_slab_place(r + 8, q) * 4 + within) * 4, sum[own][n][2], sum[own][n][3]);
                }
            }
        }

        __syncwarp();
        int row = firstRow + S::warp_row() + m * 16, column = firstColumn + S::warp_column();
        if (a.yFloat)
        {
            linear_slab_finish<float, 4, S::WN>(a, slab, (float*)a.y + blockIdx.z * a.partStride, rows, row, column, place);
        }
        else
        {
            linear_slab_finish<bf16, 8, S::WN>(a, slab, (bf16*)a.y, rows, row, column, place);
        }

        __syncwarp();
    }
}

// One block's tile. A and B are operand loaders.
template <typename S, bool A_DEEP, bool B_DEEP, typename A, typename B>
__device__ __forceinline__ void linear_mma(const LinearArguments& a)
{
    extern __shared__ __align__(128) uint8 shared[];
    int rows = live_rows(a.live, a.rows);
    int i, j;
    linear_tile((a.rows + S::BM - 1) / S::BM, (a.columns + S::BN - 1) / S::BN, i, j);
    int firstRow = i * S::BM, firstColumn = j * S::BN;
    if (firstRow >= rows)
    {
        return;
    }

    int begin = blockIdx.z * a.partDepth;
    int end = min(begin + a.partDepth, a.depth);
    A left(a.a, a.aStride, a.aFloat, a.aDeep, firstRow, rows, begin, end);
    B right(a.b, a.bStride, a.bFloat, a.bDeep, firstColumn, a.columns, begin, end);
    float sum[S::MT][S::NT][4];
    linear_sums<S, A_DEEP, B_DEEP>(left, right, (end - begin + LINEAR_STEP - 1) / LINEAR_STEP, shared, sum);
    linear_results<S>(a, shared, sum, rows, firstRow, firstColumn, SameRow());
}

// bf16 operands with aligned runs.
template <typename S, bool A_DEEP, bool B_DEEP>
__device__ __forceinline__ void linear_async(const LinearArguments& a)
{
    linear_mma<S, A_DEEP, B_DEEP, AsyncOperand<S::BM, S::THREADS, A_DEEP>, AsyncOperand<S::BN, S::THREADS, B_DEEP>>(a);
}

using LinearLarge = LinearShape<128, 256, 64, 64, 4>;
using LinearMedium = LinearShape<128, 128, 64, 64, 3>;
using LinearSmall = LinearShape<64, 64, 32, 32, 4>;
using LinearFloat = LinearShape<128, 128, 64, 32, 4>; // one operand comes through registers

#endif
