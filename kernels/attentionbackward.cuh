// The one body of both backward kernels of attention (attentionkeys.cu has formulas, floor and geometry): a block owns tokens of one side, keys or
// queries, and walks over those of the other side in their order.
#pragma once

#include "attentionsimt.cuh"

// One block's own tokens: keys, for dk and dv, or queries, for dq.
template <int D, bool KEYS>
__device__ __forceinline__ void attention_backward_simt(const AttentionArguments& a)
{
    constexpr int OWN = 32, OTHER = D > 64 ? 16 : 32, ROWS = 2, COLUMNS = OTHER / 8, STRIDE = D + 4;
    extern __shared__ __align__(16) float memory[];
    float* own1 = memory; // k or q
    float* own2 = own1 + OWN * STRIDE; // v or dO
    float* other1 = own2 + OWN * STRIDE; // q or k
    float* other2 = other1 + OTHER * STRIDE; // dO or v
    int team = threadIdx.x / 8, member = threadIdx.x % 8;
    float* p_own = other2 + OTHER * STRIDE + team * ROWS * 32;
    float* ds_own = p_own + OWN * 32;

    int head = blockIdx.y, image = blockIdx.z;
    int first = blockIdx.x * OWN;
    const float* q = head_rows((const float*)a.q, a.qStride, a.queries, image, head, a.width);
    const float* k = head_rows((const float*)a.k, a.kStride, a.keys, image, head, a.width);
    const float* v = head_rows((const float*)a.v, a.vStride, a.keys, image, head, a.width);
    const float* d_o = head_rows((const float*)a.d_o, a.d_oStride, a.queries, image, head, a.width);
    const float* logSumExp = a.logSumExp + ((int64)image * a.heads + head) * a.queries;
    const float* delta = a.delta + ((int64)image * a.heads + head) * a.queries;
    int rows = KEYS ? a.keys : a.queries, others = KEYS ? a.queries : a.keys;
    simt_load<D, OWN>(own1, KEYS ? k : q, KEYS ? a.kStride : a.qStride, first, rows, a.width, a.vectors);
    simt_load<D, OWN>(own2, KEYS ? v : d_o, KEYS ? a.vStride : a.d_oStride, first, rows, a.width, a.vectors);
    float sum1[ROWS][D / 32][4] = {}, sum2[ROWS][D / 32][4] = {};
    int begin = KEYS && a.causal ? first / OTHER * OTHER : 0;
    int end = !KEYS && a.causal ? min(others, first + OWN) : others;
    for (int from = begin; from < end; from += OTHER)
    {
        __syncthreads();
        simt_load<D, OTHER>(other1, KEYS ? q : k, KEYS ? a.qStride : a.kStride, from, others, a.width, a.vectors);
        simt_load<D, OTHER>(other2, KEYS ? d_o : v, KEYS ? a.d_oStride : a.vStride, from, others, a.width, a.vectors);
        __syncthreads();
        float s[ROWS][COLUMNS], dp[ROWS][COLUMNS];
        simt_dots<D>(own1 + team * ROWS * STRIDE, other1 + member * STRIDE, s);
        simt_dots<D>(own2 + team * ROWS * STRIDE, other2 + member * STRIDE, dp);
#pragma unroll
        for (int r = 0; r < ROWS; r++)
        {
#pragma unroll
            for (int c = 0; c < COLUMNS; c++)
            {
                int mine = first + team * ROWS + r, its = from + member + c * 8;
                int query = KEYS ? its : mine, key = KEYS ? mine : its;
                float p = 0, ds = 0;
                if (query < a.queries && key < a.keys && (!a.causal || key <= query))
                {
                    p = expf(fmaf(s[r][c], a.scale, -logSumExp[query]));
                    ds = p * (dp[r][c] - delta[query]);
                }

                p_own[r * 32 + simt_weight(team, member + c * 8)] = p;
                ds_own[r * 32 + simt_weight(team, member + c * 8)] = ds;
            }
        }

        __syncwarp();
        simt_accumulate<D, ROWS, OTHER>(ds_own, team, other1 + member * 4, sum1);
        if (KEYS)
        {
            simt_accumulate<D, ROWS, OTHER>(p_own, team, other2 + member * 4, sum2);
        }
    }

    float* out1 = KEYS ? head_rows((float*)a.dk, a.dkStride, a.keys, image, head, a.width) : head_rows((float*)a.dq, a.dqStride, a.queries, image, head, a.width);
    float* out2 = head_rows((float*)a.dv, a.dvStride, a.keys, image, head, a.width);
#pragma unroll
    for (int r = 0; r < ROWS; r++)
    {
        int mine = first + team * ROWS + r;
        if (mine < rows)
        {
            simt_store<D>(sum1[r], a.scale, out1 + mine * (KEYS ? a.dkStride : a.dqStride), member * 4, a.width, a.vectors);
            if (KEYS)
            {
                simt_store<D>(sum2[r], 1, out2 + mine * a.dvStride, member * 4, a.width, a.vectors);
            }
        }
    }
}

#if HAS_BF16

template <int D, bool KEYS>
__device__ __forceinline__ void attention_backward(const AttentionArguments& a)
{
    constexpr int OWN = 64, OTHER = D > 64 ? 32 : 64, THREADS = 128;
    using OwnTile = HeadTile<D, OWN>;
    using OtherTile = HeadTile<D, OTHER>;
    constexpr int STAGE_BYTES = 2 * OtherTile::BYTES + 2 * OTHER * 4;
    extern __shared__ __align__(128) uint8 shared[];
    uint8* own1 = shared; // k or q
    uint8* own2 = shared + OwnTile::BYTES; // v or dO
    uint8* ring = own2 + OwnTile::BYTES; // per stage q or k, dO or v, logSumExp, delta

    int head = blockIdx.y, image = blockIdx.z;
    int first = blockIdx.x * OWN;
    const bf16* q = head_rows((const bf16*)a.q, a.qStride, a.queries, image, head, a.width);
    const bf16* k = head_rows((const bf16*)a.k, a.kStride, a.keys, image, head, a.width);
    const bf16* v = head_rows((const bf16*)a.v, a.vStride, a.keys, image, head, a.width);
    const bf16* d_o = head_rows((const bf16*)a.d_o, a.d_oStride, a.queries, image, head, a.width);
    const float* logSumExp = a.logSumExp + ((int64)image * a.heads + head) * a.queries;
    const float* delta = a.delta + ((int64)image * a.heads + head) * a.queries;
    int rows = KEYS ? a.keys : a.queries, others = KEYS ? a.queries : a.keys;

    // Queries beyond the last one get zeros for q, dO, logSumExp and delta: their dP and dS are 0 and their P meets a dO of 0.
    auto load = [&](int from, uint8* stage)
    {
        OtherTile::template load<THREADS>(stage, KEYS ? q : k, KEYS ? a.qStride : a.kStride, from, others, a.width, a.vectors);
        OtherTile::template load<THREADS>(stage + OtherTile::BYTES, KEYS ? d_o : v, KEYS ? a.d_oStride : a.vStride, from, others, a.width, a.vectors);
        if (KEYS && threadIdx.x < 2 * OTHER)
        {
            int query = from + threadIdx.x % OTHER;
            const float* source = threadIdx.x < OTHER ? logSumExp : delta;
            ptx_cp_async4(shared_address(stage) + 2 * OtherTile::BYTES + threadIdx.x * 4, query < others ? source + query : source, query < others ? 4 : 0);
        }
    };

    int begin = KEYS && a.causal ? first / OTHER * OTHER : 0;
    int end = !KEYS && a.causal ? min(others, first + OWN) : others;
    OwnTile::template load<THREADS>(own1, KEYS ? k : q, KEYS ? a.kStride : a.qStride, first, rows, a.width, a.vectors);
    OwnTile::template load<THREADS>(own2, KEYS ? v : d_o, KEYS ? a.vStride : a.d_oStride, first, rows, a.width, a.vectors);
    if (begin < end)
    {
        load(begin, ring);
    }

    ptx_cp_async_commit();

    HeadFragments<D> fragments;
    uint32 own1At = shared_address(own1), own2At = shared_address(own2);
    int lane = threadIdx.x % 32;
    int own = threadIdx.x / 32 * 16;
    float scale = a.scaleLog2E;
    float shift[2] = {}, less[2] = {}; // of own queries
    if (!KEYS)
    {
#pragma unroll
        for (int half = 0; half < 2; half++)
        {
            int query = first + own + lane / 4 + half * 8;
            shift[half] = query < a.queries ? -logSumExp[query] * LOG2_E : 0;
            less[half] = query < a.queries ? delta[query] : 0;
        }
    }

    float sum1[1][D / 8][4] = {}, sum2[1][KEYS ? D / 8 : 1][4] = {};
    int turn = 0;
    for (int from = begin; from < end; from += OTHER)
    {
        ptx_cp_async_wait<0>();
        __syncthreads();
        uint8* stage = ring + turn * STAGE_BYTES;
        turn ^= 1;
        if (from + OTHER < end)
        {
            load(from + OTHER, ring + turn * STAGE_BYTES);
        }

        ptx_cp_async_commit();
        uint32 other1At = shared_address(stage), other2At = other1At + OtherTile::BYTES;
        const float* stats = (const float*)(stage + 2 * OtherTile::BYTES);
        float p[OTHER / 8][4] = {}, ds[OTHER / 8][4] = {};
#pragma unroll
        for (int d = 0; d < D / 16; d++)
        {
            uint32 x[4];
            fragments.left(own1At, own, d, x);
#pragma unroll
            for (int n = 0; n < OTHER / 16; n++)
            {
                uint32 w[4];
                fragments.right(other1At, n * 16, d, w);
                ptx_mma_bf16(p[2 * n], x, w[0], w[1]);
                ptx_mma_bf16(p[2 * n + 1], x, w[2], w[3]);
            }
        }

#pragma unroll
        for (int d = 0; d < D / 16; d++)
        {
            uint32 x[4];
            fragments.left(own2At, own, d, x);
#pragma unroll
            for (int n = 0; n < OTHER / 16; n++)
            {
                uint32 w[4];
                fragments.right(other2At, n * 16, d, w);
                ptx_mma_bf16(ds[2 * n], x, w[0], w[1]);
                ptx_mma_bf16(ds[2 * n + 1], x, w[2], w[3]);
            }
        }

        // Own keys beyond the last one have results that nobody stores; other keys beyond it must not count.
        bool masked = KEYS ? a.causal && from < first + own + 16 : from + OTHER > a.keys || (a.causal && from + OTHER > first + own);
#pragma unroll
        for (int n = 0; n < OTHER / 8; n++)
        {
            int column = n * 8 + lane % 4 * 2;
            float2 columnShift, columnLess;
            if (KEYS)
            {
                columnShift = *(const float2*)(stats + column);
                columnLess = *(const float2*)(stats + OTHER + column);
            }

#pragma unroll
            for (int e = 0; e < 4; e++)
            {
                float minus = KEYS ? -(e % 2 == 0 ? columnShift.x : columnShift.y) * LOG2_E : shift[e / 2];
                p[n][e] = ptx_ex2(fmaf(p[n][e], scale, minus));
                if (masked)
                {
                    int mine = first + own + lane / 4 + e / 2 * 8, its = from + column + e % 2;
                    int query = KEYS ? its : mine, key = KEYS ? mine : its;
                    p[n][e] = (KEYS || key < a.keys) && (!a.causal || key <= query) ? p[n][e] : 0;
                }

                ds[n][e] = p[n][e] * (ds[n][e] - (KEYS ? (e % 2 == 0 ? columnLess.x : columnLess.y) : less[e / 2]));
            }
        }

#pragma unroll
        for (int n = 0; n < OTHER / 16; n++)
        {
            uint32 x[4], w[4];
            sums_as_left(ds[2 * n], ds[2 * n + 1], x);
#pragma unroll
            for (int d = 0; d < D / 16; d++)
            {
                fragments.summed(other1At, n * 16, d, w);
                ptx_mma_bf16(sum1[0][2 * d], x, w[0], w[1]);
                ptx_mma_bf16(sum1[0][2 * d + 1], x, w[2], w[3]);
            }

            if constexpr (KEYS)
            {
                sums_as_left(p[2 * n], p[2 * n + 1], x);
#pragma unroll
                for (int d = 0; d < D / 16; d++)
                {
                    fragments.summed(other2At, n * 16, d, w);
                    ptx_mma_bf16(sum2[0][2 * d], x, w[0], w[1]);
                    ptx_mma_bf16(sum2[0][2 * d + 1], x, w[2], w[3]);
                }
            }
        }
    }

    ptx_cp_async_wait<0>();
    float scaled[1][2] = {{a.scale, a.scale}}, plain[1][2] = {{1, 1}};
    if constexpr (KEYS)
    {
        OwnTile::template store<1>(own1, own, sum1, scaled, head_rows((bf16*)a.dk, a.dkStride, a.keys, image, head, a.width), a.dkStride, first + own, a.keys, a.width, a.vectors);
        OwnTile::template store<1>(own2, own, sum2, plain, head_rows((bf16*)a.dv, a.dvStride, a.keys, image, head, a.width), a.dvStride, first + own, a.keys, a.width, a.vectors);
    }
    else
    {
        OwnTile::template store<1>(own1, own, sum1, scaled, head_rows((bf16*)a.dq, a.dqStride, a.queries, image, head, a.width), a.dqStride, first + own, a.queries, a.width, a.vectors);
    }
}

#endif
