// o = softmax(q k^T / sqrt(D)) v per head with an online softmax: scores stay in registers, the largest score of a row and the sum of exponentials are
// corrected as keys come. attention.cuh has shapes and types.
//   saved     logSumExp (natural, fp32), may be null; the backward pass recomputes the scores from it
//   floor     4·B·H·Sq·Skv·D operations (half of it when causal); sizeof(T)·B·H·D·(2·Sq + 2·Skv) bytes. At B = 8, S = 1101, H·D = 1024 in bf16:
//             40 GFLOP and 72 MB, so 127 us at A100's 312 TFLOP/s against 36 us of its memory
//   geometry  bf16: a block of 4 warps has 128 queries, each warp 32 of them; keys and values come 64 at a time. q, k and v of a block take
//             512·D bytes of shared memory (64 KiB at D = 128: two blocks per SM, one on sm_86 and sm_89). The values arrive while the scores are
//             computed, the next keys during softmax and second product.
//             fp32: a block of 128 threads has 64 queries, keys 32 at a time, then their values in the same memory; a thread has 4 queries and
//             D/8 columns of the result
//   limiter   bf16: the tensor cores and, on H100, shared memory and instruction issue. Per 32 x 64 scores at D = 128 a warp issues 256 mma (512 cycles of the
//             SM on A100, about 410 on H100) and about 1100 instructions in all, and reads 40 KiB of fragments (320 cycles). fp32: shared memory
// P is rounded to bf16 for the second product, its sum is not; exponents are 2^x of scores scaled by log2(e)/sqrt(D). A query's bits depend on its own row
// and the keys alone, in their order: no atomics, no split over keys.
#include "attentionsimt.cuh"

template <int D>
__device__ __forceinline__ void attention_forward_simt(const AttentionArguments& a)
{
    constexpr int QUERIES = 64, KEYS = 32, ROWS = 4, COLUMNS = 4;
    extern __shared__ __align__(16) float memory[];
    float* queryTile = memory;
    float* keyTile = queryTile + QUERIES * (D + 4); // then the values
    float* weights = keyTile + KEYS * (D + 4);

    int tile = a.causal ? gridDim.x - 1 - blockIdx.x : blockIdx.x;
    int head = blockIdx.y, image = blockIdx.z;
    int first = tile * QUERIES;
    const float* q = head_rows((const float*)a.q, a.qStride, a.queries, image, head, a.width);
    const float* k = head_rows((const float*)a.k, a.kStride, a.keys, image, head, a.width);
    const float* v = head_rows((const float*)a.v, a.vStride, a.keys, image, head, a.width);
    int keys = a.causal ? min(a.keys, first + QUERIES) : a.keys;
    simt_load<D, QUERIES>(queryTile, q, a.qStride, first, a.queries, a.width, a.vectors);

    // Eight threads share four queries; each has every eighth key of a score row and every eighth group of four columns of the result.
    int team = threadIdx.x / 8, member = threadIdx.x % 8;
    float* own = weights + team * ROWS * 32;
    float o[ROWS][D / 32][4] = {};
    float top[ROWS], total[ROWS] = {};
#pragma unroll
    for (int r = 0; r < ROWS; r++)
    {
        top[r] = -INFINITY;
    }

    for (int from = 0; from < keys; from += KEYS)
    {
        __syncthreads();
        simt_load<D, KEYS>(keyTile, k, a.kStride, from, a.keys, a.width, a.vectors);
        __syncthreads();
        float s[ROWS][COLUMNS];
        simt_dots<D>(queryTile + team * ROWS * (D + 4), keyTile + member * (D + 4), s);
        __syncthreads();
        simt_load<D, KEYS>(keyTile, v, a.vStride, from, a.keys, a.width, a.vectors);
#pragma unroll
        for (int r = 0; r < ROWS; r++)
        {
            float most = top[r];
#pragma unroll
            for (int c = 0; c < COLUMNS; c++)
            {
                int key = from + member + c * 8;
                bool seen = key < a.keys && (!a.causal || key <= first + team * ROWS + r);
                s[r][c] = seen ? s[r][c] * a.scale : -INFINITY;
                most = fmaxf(most, s[r][c]);
            }

            most = team_max(most);
            float factor = expf(top[r] - most);
            top[r] = most;
            total[r] *= factor;
#pragma unroll
            for (int c = 0; c < COLUMNS; c++)
            {
                float p = expf(s[r][c] - most);
                total[r] += p;
                own[r * 32 + simt_weight(team, member + c * 8)] = p;
            }

#pragma unroll
            for (int j = 0; j < D / 32; j++)
            {
#pragma unroll
                for (int e = 0; e < 4; e++)
                {
                    o[r][j][e] *= factor;
                }
            }
        }

        __syncthreads();
        simt_accumulate<D, ROWS, KEYS>(own, team, keyTile + member * 4, o);
    }

    float* out = head_rows((float*)a.out, a.oStride, a.queries, image, head, a.width);
#pragma unroll
    for (int r = 0; r < ROWS; r++)
    {
        float sum = team_total(total[r]);
        int query = first + team * ROWS + r;
        if (query < a.queries)
        {
            simt_store<D>(o[r], 1.0f / sum, out + query * a.oStride, member * 4, a.width, a.vectors);
            if (a.logSumExp != nullptr && member == 0)
            {
                a.logSumExp[((int64)image * a.heads + head) * a.queries + query] = top[r] + logf(sum);
            }
        }
    }
}

extern "C" __global__ void __launch_bounds__(SIMT_THREADS, 2) attention_32_f32(const AttentionArguments a)
{
    attention_forward_simt<32>(a);
}

extern "C" __global__ void __launch_bounds__(SIMT_THREADS, 2) attention_64_f32(const AttentionArguments a)
{
    attention_forward_simt<64>(a);
}

extern "C" __global__ void __launch_bounds__(SIMT_THREADS, 2) attention_128_f32(const AttentionArguments a)
{
    attention_forward_simt<128>(a);
}

#if HAS_BF16

template <int D>
__device__ __forceinline__ void attention_forward(const AttentionArguments& a)
{
    constexpr int QUERIES = 128, KEYS = 64, THREADS = 128;
    using QueryTile = HeadTile<D, QUERIES>;
    using KeyTile = HeadTile<D, KEYS>;
    extern __shared__ __align__(128) uint8 shared[];
    uint8* queryTile = shared;
    uint8* keyTile = shared + QueryTile::BYTES;
    uint8* valueTile = keyTile + KeyTile::BYTES;

    // With causal masking the last queries have most to do: they start first.
    int tile = a.causal ? gridDim.x - 1 - blockIdx.x : blockIdx.x;
    int head = blockIdx.y, image = blockIdx.z;
    int first = tile * QUERIES;
    const bf16* q = head_rows((const bf16*)a.q, a.qStride, a.queries, image, head, a.width);
    const bf16* k = head_rows((const bf16*)a.k, a.kStride, a.keys, image, head, a.width);
    const bf16* v = head_rows((const bf16*)a.v, a.vStride, a.keys, image, head, a.width);
    int keys = a.causal ? min(a.keys, first + QUERIES) : a.keys;
    QueryTile::template load<THREADS>(queryTile, q, a.qStride, first, a.queries, a.width, a.vectors);
    KeyTile::template load<THREADS>(keyTile, k, a.kStride, 0, a.keys, a.width, a.vectors);
    ptx_cp_async_commit();

    HeadFragments<D> fragments;
    uint32 queryAt = shared_address(queryTile), keyAt = shared_address(keyTile), valueAt = shared_address(valueTile);
    int lane = threadIdx.x % 32;
    int own = threadIdx.x / 32 * 32;
    float scale = a.scaleLog2E;
    float o[2][D / 8][4] = {};
    float top[2][2], total[2][2] = {};
#pragma unroll
    for (int m = 0; m < 2; m++)
    {
        top[m][0] = top[m][1] = -INFINITY;
    }

    for (int from = 0; from < keys; from += KEYS)
    {
        ptx_cp_async_wait<0>();
        __syncthreads();
        KeyTile::template load<THREADS>(valueTile, v, a.vStride, from, a.keys, a.width, a.vectors);
        ptx_cp_async_commit();

        float s[2][KEYS / 8][4] = {};
#pragma unroll 4 // more would take the addresses of all steps into registers that the sums need
        for (int d = 0; d < D / 16; d++)
        {
            uint32 x[2][4];
            fragments.left(queryAt, own, d, x[0]);
            fragments.left(queryAt, own + 16, d, x[1]);
#pragma unroll
            for (int n = 0; n < KEYS / 16; n++)
            {
                uint32 w[4];
                fragments.right(keyAt, n * 16, d, w);
#pragma unroll
                for (int m = 0; m < 2; m++)
                {
                    ptx_mma_bf16(s[m][2 * n], x[m], w[0], w[1]);
                    ptx_mma_bf16(s[m][2 * n + 1], x[m], w[2], w[3]);
                }
            }
        }

        ptx_cp_async_wait<0>();
        __syncthreads();
        if (from + KEYS < keys)
        {
            KeyTile::template load<THREADS>(keyTile, k, a.kStride, from + KEYS, a.keys, a.width, a.vectors);
        }

        ptx_cp_async_commit();

        if (from + KEYS > a.keys || (a.causal && from + KEYS > first + own))
        {
#pragma unroll
            for (int m = 0; m < 2; m++)
            {
#pragma unroll
                for (int n = 0; n < KEYS / 8; n++)
                {
#pragma unroll
                    for (int e = 0; e < 4; e++)
                    {
                        int key = from + n * 8 + lane % 4 * 2 + e % 2;
                        int query = first + own + m * 16 + lane / 4 + e / 2 * 8;
                        s[m][n][e] = key >= a.keys || (a.causal && key > query) ? -INFINITY : s[m][n][e];
                    }
                }
            }
        }

        bool higher = false;
        float factor[2][2];
#pragma unroll
        for (int m = 0; m < 2; m++)
        {
#pragma unroll
            for (int half = 0; half < 2; half++)
            {
                float most = top[m][half];
#pragma unroll
                for (int n = 0; n < KEYS / 8; n++)
                {
                    most = fmaxf(most, fmaxf(s[m][n][half * 2], s[m][n][half * 2 + 1]));
                }

                most = fmaxf(most, __shfl_xor_sync(WHOLE_WARP, most, 1));
                most = fmaxf(most, __shfl_xor_sync(WHOLE_WARP, most, 2));
                factor[m][half] = ptx_ex2((top[m][half] - most) * scale);
                higher |= most > top[m][half];
                top[m][half] = most;
                total[m][half] *= factor[m][half];
                float shift = -most * scale;
#pragma unroll
                for (int n = 0; n < KEYS / 8; n++)
                {
#pragma unroll
                    for (int e = half * 2; e < half * 2 + 2; e++)
                    {
                        s[m][n][e] = ptx_ex2(fmaf(s[m][n][e], scale, shift));
                        total[m][half] += s[m][n][e];
                    }
                }
            }
        }

        // Factors of 1 change nothing; after the first keys a larger score is rare.
        if (__any_sync(WHOLE_WARP, higher))
        {
#pragma unroll
            for (int m = 0; m < 2; m++)
            {
#pragma unroll
                for (int n = 0; n < D / 8; n++)
                {
#pragma unroll
                    for (int e = 0; e < 4; e++)
                    {
                        o[m][n][e] *= factor[m][e / 2];
                    }
                }
            }
        }

#pragma unroll
        for (int n = 0; n < KEYS / 16; n++)
        {
            uint32 p[2][4];
            sums_as_left(s[0][2 * n], s[0][2 * n + 1], p[0]);
            sums_as_left(s[1][2 * n], s[1][2 * n + 1], p[1]);
#pragma unroll
            for (int d = 0; d < D / 16; d++)
            {
                uint32 w[4];
                fragments.summed(valueAt, n * 16, d, w);
#pragma unroll
                for (int m = 0; m < 2; m++)
                {
                    ptx_mma_bf16(o[m][2 * d], p[m], w[0], w[1]);
                    ptx_mma_bf16(o[m][2 * d + 1], p[m], w[2], w[3]);
                }
            }
        }
    }

    float inverse[2][2];
#pragma unroll
    for (int m = 0; m < 2; m++)
    {
#pragma unroll
        for (int half = 0; half < 2; half++)
        {
            float sum = total[m][half];
            sum += __shfl_xor_sync(WHOLE_WARP, sum, 1);
            sum += __shfl_xor_sync(WHOLE_WARP, sum, 2);
            inverse[m][half] = 1.0f / sum;
            int query = first + own + m * 16 + lane / 4 + half * 8;
            if (a.logSumExp != nullptr && lane % 4 == 0 && query < a.queries)
            {
                // From the very shift of the exponents, whose rounding then cancels.
                a.logSumExp[((int64)image * a.heads + head) * a.queries + query] = fmaf(top[m][half] * scale, LN_2, logf(sum));
            }
        }
    }

    bf16* o_rows = head_rows((bf16*)a.out, a.oStride, a.queries, image, head, a.width);
    QueryTile::template store<2>(queryTile, own, o, inverse, o_rows, a.oStride, first + own, a.queries, a.width, a.vectors);
}

extern "C" __global__ void __launch_bounds__(128, 2) attention_32_bf16(const AttentionArguments a)
{
    attention_forward<32>(a);
}

extern "C" __global__ void __launch_bounds__(128, 2) attention_64_bf16(const AttentionArguments a)
{
    attention_forward<64>(a);
}

extern "C" __global__ void __launch_bounds__(128, 2) attention_80_bf16(const AttentionArguments a)
{
    attention_forward<80>(a);
}

extern "C" __global__ void __launch_bounds__(128, 2) attention_128_bf16(const AttentionArguments a)
{
    attention_forward<128>(a);
}

#endif
