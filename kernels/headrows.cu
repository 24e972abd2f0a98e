// Where the head finds the wanted code rows in the last block's output z seen as [B·(L+n),C].
//   rows [R] int, ascending, b·N + code; tokens int: the rows of z that own a wanted code, ascending; tokenCount; codes [R] int (up block
//   only): row of the code in the up block's output of those tokens, seen as [4·tokens,C]
//   floor   a few bytes per row; what counts is the number of launches: one without up block, three with
// With an up block a token owns 2x2 codes: mark the tokens, number them by a scan of one block, look the numbers up.
#include "common.cuh"

constexpr int HEADROWS_THREADS = 256;
constexpr int HEADROWS_SCAN = 1024;

struct HeadRowsArguments
{
    const int* rows;
    const int* live;
    int* tokens;
    int* tokenCount;
    int* codes;
    int* place; // [B·n] workspace, zero before headrows_mark
    int count;
    int images;
    int textTokens;
    int imageTokens;
    int gridCodes;
    int width;
};

// The token, counted over all images, that owns a code; and which of its 2x2 codes it is.
__device__ __forceinline__ int headrows_token(const HeadRowsArguments& a, int row, int& corner)
{
    int image = row / a.gridCodes;
    int code = row % a.gridCodes;
    int y = code / a.width;
    int x = code % a.width;
    corner = 2 * (y & 1) + (x & 1);
    return image * a.imageTokens + (y / 2) * (a.width / 2) + x / 2;
}

__device__ __forceinline__ int headrows_row(const HeadRowsArguments& a, int token)
{
    return (token / a.imageTokens) * (a.textTokens + a.imageTokens) + a.textTokens + token % a.imageTokens;
}

extern "C" __global__ void __launch_bounds__(HEADROWS_THREADS) headrows_plain(const HeadRowsArguments a)
{
    int rows = live_rows(a.live, a.count);
    int r = blockIdx.x * HEADROWS_THREADS + threadIdx.x;
    if (r == 0)
    {
        *a.tokenCount = rows;
    }

    if (r < rows)
    {
        a.tokens[r] = headrows_row(a, a.rows[r]);
    }
}

extern "C" __global__ void __launch_bounds__(HEADROWS_THREADS) headrows_mark(const HeadRowsArguments a)
{
    int r = blockIdx.x * HEADROWS_THREADS + threadIdx.x;
    if (r < live_rows(a.live, a.count))
    {
        int corner;
        atomicExch(&a.place[headrows_token(a, a.rows[r], corner)], 1);
    }
}

extern "C" __global__ void __launch_bounds__(HEADROWS_SCAN) headrows_number(const HeadRowsArguments a)
{
    __shared__ int scratch[HEADROWS_SCAN / 32];
    int lane = threadIdx.x % 32;
    int warp = threadIdx.x / 32;
    int total = a.images * a.imageTokens;
    int next = 0;
    for (int base = 0; base < total; base += HEADROWS_SCAN)
    {
        int token = base + threadIdx.x;
        bool wanted = token < total && a.place[token] != 0;
        uint32 vote = __ballot_sync(WHOLE_WARP, wanted);
        if (lane == 0)
        {
            scratch[warp] = __popc(vote);
        }

        __syncthreads();
        int at = next + __popc(vote & ((1u << lane) - 1));
#pragma unroll
        for (int w = 0; w < HEADROWS_SCAN / 32; w++)
        {
            at += w < warp ? scratch[w] : 0;
            next += scratch[w];
        }

        if (wanted)
        {
            a.tokens[at] = headrows_row(a, token);
            a.place[token] = at;
        }

        __syncthreads();
    }

    if (threadIdx.x == 0)
    {
        *a.tokenCount = next;
    }
}

extern "C" __global__ void __launch_bounds__(HEADROWS_THREADS) headrows_codes(const HeadRowsArguments a)
{
    int r = blockIdx.x * HEADROWS_THREADS + threadIdx.x;
    if (r < live_rows(a.live, a.count))
    {
        int corner;
        int token = headrows_token(a, a.rows[r], corner);
        a.codes[r] = 4 * a.place[token] + corner;
    }
}
