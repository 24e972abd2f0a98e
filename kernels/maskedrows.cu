// Lists the masked positions of canvases in ascending order, and counts them per canvas.
//   canvas [B,N] int; rows [B·N] int, of which the first `count` are written; masked [B] int; fractions [B] fp32 = masked / N
//   floor   8·B·N bytes read (each kernel once), 4 bytes written per masked position
// First a block per canvas counts; then a block per canvas sums up the counts before it and writes its positions, in order by ballots.
#include "common.cuh"

constexpr int MASKEDROWS_THREADS = 256;
constexpr int MASKEDROWS_WARPS = MASKEDROWS_THREADS / 32;

struct MaskedRowsArguments
{
    const int* canvas;
    int* rows;
    int* count;
    int* masked;
    float* fractions;
    int images;
    int positions;
    int maskToken;
};

extern "C" __global__ void __launch_bounds__(MASKEDROWS_THREADS) maskedrows_count(const MaskedRowsArguments a)
{
    __shared__ int scratch[MASKEDROWS_WARPS];
    const int* canvas = a.canvas + (int64)blockIdx.x * a.positions;
    int count = 0;
    for (int i = threadIdx.x; i < a.positions; i += MASKEDROWS_THREADS)
    {
        count += canvas[i] == a.maskToken ? 1 : 0;
    }

#pragma unroll
    for (int offset = 16; offset > 0; offset >>= 1)
    {
        count += __shfl_xor_sync(WHOLE_WARP, count, offset);
    }

    if (threadIdx.x % 32 == 0)
    {
        scratch[threadIdx.x / 32] = count;
    }

    __syncthreads();
    if (threadIdx.x == 0)
    {
        int sum = 0;
        for (int w = 0; w < MASKEDROWS_WARPS; w++)
        {
            sum += scratch[w];
        }

        a.masked[blockIdx.x] = sum;
        a.fractions[blockIdx.x] = (float)sum / (float)a.positions;
    }
}

extern "C" __global__ void __launch_bounds__(MASKEDROWS_THREADS) maskedrows_list(const MaskedRowsArguments a)
{
    __shared__ int scratch[MASKEDROWS_WARPS];
    int lane = threadIdx.x % 32;
    int warp = threadIdx.x / 32;
    int next = 0;
    for (int b = 0; b < blockIdx.x; b++)
    {
        next += a.masked[b];
    }

    if (blockIdx.x == a.images - 1 && threadIdx.x == 0)
    {
        *a.count = next + a.masked[blockIdx.x];
    }

    int64 first = (int64)blockIdx.x * a.positions;
    for (int base = 0; base < a.positions; base += MASKEDROWS_THREADS)
    {
        int i = base + threadIdx.x;
        bool masked = i < a.positions && a.canvas[first + i] == a.maskToken;
        uint32 vote = __ballot_sync(WHOLE_WARP, masked);
        if (lane == 0)
        {
            scratch[warp] = __popc(vote);
        }

        __syncthreads();
        int at = next + __popc(vote & ((1u << lane) - 1));
#pragma unroll
        for (int w = 0; w < MASKEDROWS_WARPS; w++)
        {
            at += w < warp ? scratch[w] : 0;
            next += scratch[w];
        }

        if (masked)
        {
            a.rows[at] = (int)first + i;
        }

        __syncthreads();
    }
}
