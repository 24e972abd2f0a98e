// Embedding and its scatter.
//   forward   y[b,l] = table[ids[b,l]] + positions[l]
//   backward  dtable[ids[b,l]] += dy[b,l], dpositions[l] += Σ_b dy[b,l]; either may be left out
//   ids [B,L] int in [0,V); table [V,C], positions [L,C] (or none), y, dy [B,L,C] of T with row strides; dtable, dpositions fp32
//   floor     forward 2·M·C·sizeof(T) + 4·M bytes (M = B·L; one more row of T per token with positions); backward M·C·sizeof(T) + 8·C bytes
//             per table row that occurs, M·C additions
// Forward: a warp per token.
// Backward is deterministic without floating-point atomics. Tokens are counted into an order in which those of one table row stand
// together, in their old order: chunks of 1024 ids rank each id among its equals (embedding_rank), the ranks of a table row are added up
// over the chunks (embedding_offsets) and over the rows (embedding_starts), which gives every token its place (embedding_order). A block
// then sums EMBEDDING_SEGMENT consecutive tokens of that order (embedding_sum), a thread owning columns: however often an id occurs, all
// blocks have the same work. A run of equal ids that lies within a segment is added to dtable at once; runs that cross segments leave
// a partial row per segment, which embedding_combine adds up in order.
//   workspace  counts [chunks,V], starts [V+1], ranks [M], order [M] int; partials [segments,2,C] fp32: what a segment's first run and its
//              last run leave
#include "common.cuh"

constexpr int EMBEDDING_CHUNK = 1024;
constexpr int EMBEDDING_SEGMENT = 128;
constexpr int EMBEDDING_AT_ONCE = 4;

struct EmbeddingArguments
{
    const int* ids;
    const void* table;
    const void* positions;
    void* y;
    int64 tableStride;
    int64 positionsStride;
    int64 yStride;
    int rows;
    int tokens;
    int columns;
    int vectors;
};

struct EmbeddingOrderArguments
{
    const int* ids;
    int* counts;
    int* starts;
    int* ranks;
    int* order;
    int rows;
    int chunks;
    int tableRows;
};

struct EmbeddingSumArguments
{
    const void* dy;
    const int* ids;
    const int* starts;
    const int* order;
    float* dtable;
    float* partials;
    int64 dyStride;
    int64 dtableStride;
    int rows;
    int columns;
    int vectors;
};

struct EmbeddingPositionsArguments
{
    const void* dy;
    float* dpositions;
    int64 dyStride;
    int64 dpositionsStride;
    int images;
    int tokens;
    int columns;
};

template <typename T, int N>
__device__ __forceinline__ void embedding_forward(const EmbeddingArguments& a)
{
    int row = blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32;
    if (row >= a.rows)
    {
        return;
    }

    const T* table = (const T*)a.table + a.ids[row] * a.tableStride;
    const T* position = a.positions == nullptr ? nullptr : (const T*)a.positions + row % a.tokens * a.positionsStride;
    T* y = (T*)a.y + row * a.yStride;
    for (int c = threadIdx.x % 32 * N; c < a.columns; c += 32 * N)
    {
        float v[N], p[N];
        load_floats(table + c, v);
        if (position != nullptr)
        {
            load_floats(position + c, p);
#pragma unroll
            for (int i = 0; i < N; i++)
            {
                v[i] += p[i];
            }
        }

        store_floats(y + c, v);
    }
}

extern "C" __global__ void __launch_bounds__(256) embedding_forward_f32(const EmbeddingArguments a)
{
    a.vectors ? embedding_forward<float, 4>(a) : embedding_forward<float, 1>(a);
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(256) embedding_forward_bf16(const EmbeddingArguments a)
{
    a.vectors ? embedding_forward<bf16, 8>(a) : embedding_forward<bf16, 1>(a);
}
#endif

// One block per chunk. The last of its equals in the chunk writes how many they are.
extern "C" __global__ void __launch_bounds__(EMBEDDING_CHUNK) embedding_rank(const EmbeddingOrderArguments a)
{
    __shared__ int4 ids[EMBEDDING_CHUNK / 4];
    int row = blockIdx.x * EMBEDDING_CHUNK + threadIdx.x;
    int id = row < a.rows ? a.ids[row] : -1;
    ((int*)ids)[threadIdx.x] = id;
    int* counts = a.counts + (int64)blockIdx.x * a.tableRows;
    for (int v = threadIdx.x; v < a.tableRows; v += EMBEDDING_CHUNK)
    {
        counts[v] = 0;
    }

    __syncthreads();
    int before = 0, after = 0;
    for (int i = 0; i < EMBEDDING_CHUNK / 4; i++)
    {
        int4 other = ids[i];
        int at = 4 * i - (int)threadIdx.x;
        before += (other.x == id && at < 0) + (other.y == id && at < -1) + (other.z == id && at < -2) + (other.w == id && at < -3);
        after += (other.x == id && at > 0) + (other.y == id && at > -1) + (other.z == id && at > -2) + (other.w == id && at > -3);
    }

    if (row < a.rows)
    {
        a.ranks[row] = before;
        if (after == 0)
        {
            counts[id] = before + 1;
        }
    }
}

// Counts of a table row become the number of its tokens in the chunks before; starts holds the totals for now.
extern "C" __global__ void __launch_bounds__(256) embedding_offsets(const EmbeddingOrderArguments a)
{
    int v = blockIdx.x * blockDim.x + threadIdx.x;
    if (v >= a.tableRows)
    {
        return;
    }

    int total = 0;
    for (int chunk = 0; chunk < a.chunks; chunk++)
    {
        int* count = a.counts + (int64)chunk * a.tableRows + v;
        int here = *count;
        *count = total;
        total += here;
    }

    a.starts[v] = total;
}

// One block: totals become the place of a table row's first token in the order.
extern "C" __global__ void __launch_bounds__(1024) embedding_starts(const EmbeddingOrderArguments a)
{
    __shared__ int totals[32];
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32, carry = 0;
    for (int base = 0; base < a.tableRows; base += 1024)
    {
        int v = base + threadIdx.x;
        int here = v < a.tableRows ? a.starts[v] : 0;
        int before = here;
#pragma unroll
        for (int offset = 1; offset < 32; offset <<= 1)
        {
            int other = __shfl_up_sync(WHOLE_WARP, before, offset);
            before += lane >= offset ? other : 0;
        }

        if (lane == 31)
        {
            totals[warp] = before;
        }

        __syncthreads();
        before += carry - here;
#pragma unroll
        for (int i = 0; i < 32; i++)
        {
            before += i < warp ? totals[i] : 0;
            carry += totals[i];
        }

        if (v < a.tableRows)
        {
            a.starts[v] = before;
        }

        __syncthreads();
    }

    if (threadIdx.x == 0)
    {
        a.starts[a.tableRows] = carry;
    }
}

extern "C" __global__ void __launch_bounds__(256) embedding_order(const EmbeddingOrderArguments a)
{
    int row = blockIdx.x * blockDim.x + threadIdx.x;
    if (row < a.rows)
    {
        int id = a.ids[row];
        a.order[a.starts[id] + a.counts[(int64)(row / EMBEDDING_CHUNK) * a.tableRows + id] + a.ranks[row]] = row;
    }
}

// Adds a run's sum to the table or, when the run goes on before or after the segment, leaves it as its first (0) or last (1) partial row.
template <int N>
__device__ __forceinline__ void embedding_flush(const EmbeddingSumArguments& a, int id, bool before, bool after, int column, const float (&sum)[N])
{
    if (before || after)
    {
        store_floats(a.partials + (2LL * blockIdx.x + (before ? 0 : 1)) * a.columns + column, sum);
        return;
    }

    float* dtable = a.dtable + id * a.dtableStride + column;
    float old[N];
    load_floats(dtable, old);
#pragma unroll
    for (int i = 0; i < N; i++)
    {
        old[i] += sum[i];
    }

    store_floats(dtable, old);
}

// blockIdx.x: segment of the order; a thread owns N columns, 16 bytes of the table.
template <typename T, int N>
__device__ __forceinline__ void embedding_sum(const EmbeddingSumArguments& a)
{
    // The ids have a place more on either side, for the neighbours of the segment.
    __shared__ int rows[EMBEDDING_SEGMENT], idsAround[EMBEDDING_SEGMENT + 2];
    int* ids = idsAround + 1;
    int begin = blockIdx.x * EMBEDDING_SEGMENT;
    int count = min(EMBEDDING_SEGMENT, a.rows - begin);
    if (threadIdx.x < count)
    {
        rows[threadIdx.x] = a.order[begin + threadIdx.x];
        ids[threadIdx.x] = a.ids[rows[threadIdx.x]];
    }

    if (threadIdx.x < 2)
    {
        int neighbour = threadIdx.x == 0 ? begin - 1 : begin + count;
        ids[threadIdx.x == 0 ? -1 : count] = neighbour >= 0 && neighbour < a.rows ? a.ids[a.order[neighbour]] : -1;
    }

    __syncthreads();
    int column = (blockIdx.y * blockDim.x + threadIdx.x) * N;
    if (column >= a.columns)
    {
        return;
    }

    float sum[N] = {};
    bool before = ids[-1] == ids[0];
    for (int first = 0; first < count; first += EMBEDDING_AT_ONCE)
    {
        float d[EMBEDDING_AT_ONCE][N];
#pragma unroll
        for (int r = 0; r < EMBEDDING_AT_ONCE; r++)
        {
            if (first + r < count)
            {
                load_floats((const T*)a.dy + rows[first + r] * a.dyStride + column, d[r]);
            }
        }

#pragma unroll
        for (int r = 0; r < EMBEDDING_AT_ONCE; r++)
        {
            int at = first + r;
            if (at < count)
            {
#pragma unroll
                for (int i = 0; i < N; i++)
                {
                    sum[i] += d[r][i];
                }

                bool after = ids[at + 1] == ids[at];
                if (at + 1 == count || !after)
                {
                    embedding_flush(a, ids[at], before, after, column, sum);
                    before = false;
#pragma unroll
                    for (int i = 0; i < N; i++)
                    {
                        sum[i] = 0;
                    }
                }
            }
        }
    }
}

extern "C" __global__ void __launch_bounds__(EMBEDDING_SEGMENT, 4) embedding_sum_f32(const EmbeddingSumArguments a)
{
    a.vectors ? embedding_sum<float, 4>(a) : embedding_sum<float, 1>(a);
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(EMBEDDING_SEGMENT, 4) embedding_sum_bf16(const EmbeddingSumArguments a)
{
    a.vectors ? embedding_sum<bf16, 4>(a) : embedding_sum<bf16, 1>(a);
}
#endif

// blockIdx.x: the boundary before segment blockIdx.x + 1. The first boundary that a run crosses adds up all its partial rows.
extern "C" __global__ void __launch_bounds__(128) embedding_combine(const EmbeddingSumArguments a)
{
    int column = blockIdx.y * blockDim.x + threadIdx.x;
    int segment = blockIdx.x;
    int end = (segment + 1) * EMBEDDING_SEGMENT;
    int id = a.ids[a.order[end]];
    int start = a.starts[id];
    if (start >= end || start < segment * EMBEDDING_SEGMENT || column >= a.columns)
    {
        return;
    }

    int last = (a.starts[id + 1] - 1) / EMBEDDING_SEGMENT;
    float sum = a.partials[(2LL * segment + 1) * a.columns + column];
#pragma unroll 8
    for (segment++; segment <= last; segment++)
    {
        sum += a.partials[2LL * segment * a.columns + column];
    }

    a.dtable[id * a.dtableStride + column] += sum;
}

// A thread owns a column of a position and adds the images up in order.
template <typename T>
__device__ __forceinline__ void embedding_positions(const EmbeddingPositionsArguments& a)
{
    int column = blockIdx.x * blockDim.x + threadIdx.x;
    if (column >= a.columns)
    {
        return;
    }

    for (int token = blockIdx.y; token < a.tokens; token += gridDim.y)
    {
        float sum = 0;
#pragma unroll 4
        for (int image = 0; image < a.images; image++)
        {
            sum += to_float(((const T*)a.dy)[((int64)image * a.tokens + token) * a.dyStride + column]);
        }

        a.dpositions[token * a.dpositionsStride + column] += sum;
    }
}

extern "C" __global__ void __launch_bounds__(128) embedding_positions_f32(const EmbeddingPositionsArguments a)
{
    embedding_positions<float>(a);
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(128) embedding_positions_bf16(const EmbeddingPositionsArguments a)
{
    embedding_positions<bf16>(a);
}
#endif
