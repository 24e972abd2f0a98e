// Tiles of one head in fp32 for the attention kernels without tensor cores. A row takes D + 4 floats, an odd number of 16-byte groups, so that eight
// rows read at the same column lie in eight different groups of four banks; a row of weights takes 32, columns exchanged by a multiple of 8 that
// depends on the thread's rows.
#pragma once

#include "attention.cuh"

constexpr int SIMT_THREADS = 128;

// Fills a tile of ROWS tokens, zeros beyond the last one and beyond the width.
template <int D, int ROWS>
__device__ __forceinline__ void simt_load(float* tile, const float* head, int64 stride, int first, int rows, int width, bool vectors)
{
    constexpr int GROUPS = D / 4;
#pragma unroll 4
    for (int i = threadIdx.x; i < ROWS * GROUPS; i += SIMT_THREADS)
    {
        int r = i / GROUPS, c = i % GROUPS * 4;
        int count = first + r < rows ? width - c : 0;
        const float* p = head + (first + r) * stride + c;
        float4 four = make_float4(0, 0, 0, 0);
        if (vectors)
        {
            four = count > 0 ? *(const float4*)p : four;
        }
        else
        {
            four.x = count > 0 ? p[0] : 0;
            four.y = count > 1 ? p[1] : 0;
            four.z = count > 2 ? p[2] : 0;
            four.w = count > 3 ? p[3] : 0;
        }

        *(float4*)(tile + r * (D + 4) + c) = four;
    }
}

// sum[r][c] = own row r · other row 8c, over D elements in order; rows D + 4 apart.
template <int D, int R, int C>
__device__ __forceinline__ void simt_dots(const float* own, const float* other, float (&sum)[R][C])
{
#pragma unroll
    for (int r = 0; r < R; r++)
    {
#pragma unroll
        for (int c = 0; c < C; c++)
        {
            sum[r][c] = 0;
        }
    }

#pragma unroll 2
    for (int d = 0; d < D; d += 4)
    {
        float4 x[R];
#pragma unroll
        for (int r = 0; r < R; r++)
        {
            x[r] = *(const float4*)(own + r * (D + 4) + d);
        }

#pragma unroll
        for (int c = 0; c < C; c++)
        {
            float4 y = *(const float4*)(other + c * 8 * (D + 4) + d);
#pragma unroll
            for (int r = 0; r < R; r++)
            {
                sum[r][c] = fmaf(x[r].x, y.x, sum[r][c]);
                sum[r][c] = fmaf(x[r].y, y.y, sum[r][c]);
                sum[r][c] = fmaf(x[r].z, y.z, sum[r][c]);
                sum[r][c] = fmaf(x[r].w, y.w, sum[r][c]);
            }
        }
    }
}

// Column c of the weights of a thread whose rows have the number `team`.
__device__ __forceinline__ int simt_weight(int team, int c)
{
    return c ^ team % 4 * 8;
}

// sum[r][j] += Σ_c weights[r][c] · other row c at columns 32j on, over `rows` rows in order; weights of a row 32 apart.
template <int D, int R, int ROWS>
__device__ __forceinline__ void simt_accumulate(const float* weights, int team, const float* other, float (&sum)[R][D / 32][4])
{
#pragma unroll 1
    for (int c = 0; c < ROWS; c += 4)
    {
        float w[R][4];
#pragma unroll
        for (int r = 0; r < R; r++)
        {
            float4 four = *(const float4*)(weights + r * 32 + simt_weight(team, c));
            w[r][0] = four.x;
            w[r][1] = four.y;
            w[r][2] = four.z;
            w[r][3] = four.w;
        }

#pragma unroll
        for (int i = 0; i < 4; i++)
        {
#pragma unroll
            for (int j = 0; j < D / 32; j++)
            {
                float4 y = *(const float4*)(other + (c + i) * (D + 4) + j * 32);
#pragma unroll
                for (int r = 0; r < R; r++)
                {
                    sum[r][j][0] = fmaf(w[r][i], y.x, sum[r][j][0]);
                    sum[r][j][1] = fmaf(w[r][i], y.y, sum[r][j][1]);
                    sum[r][j][2] = fmaf(w[r][i], y.z, sum[r][j][2]);
                    sum[r][j][3] = fmaf(w[r][i], y.w, sum[r][j][3]);
                }
            }
        }
    }
}

// Stores one row of a thread's sums times a factor: columns `column` + 32j of a token.
template <int D>
__device__ __forceinline__ void simt_store(const float (&sum)[D / 32][4], float factor, float* token, int column, int width, bool vectors)
{
#pragma unroll
    for (int j = 0; j < D / 32; j++)
    {
        int c = column + j * 32;
        if (vectors)
        {
            if (c < width)
            {
                *(float4*)(token + c) = make_float4(sum[j][0] * factor, sum[j][1] * factor, sum[j][2] * factor, sum[j][3] * factor);
            }

            continue;
        }

#pragma unroll
        for (int e = 0; e < 4; e++)
        {
            if (c + e < width)
            {
                token[c + e] = sum[j][e] * factor;
            }
        }
    }
}

// Largest value and sum over the eight threads that share rows, the same bits in all of them.
__device__ __forceinline__ float team_max(float x)
{
    x = fmaxf(x, __shfl_xor_sync(WHOLE_WARP, x, 1));
    x = fmaxf(x, __shfl_xor_sync(WHOLE_WARP, x, 2));
    return fmaxf(x, __shfl_xor_sync(WHOLE_WARP, x, 4));
}

__device__ __forceinline__ float team_total(float x)
{
    x += __shfl_xor_sync(WHOLE_WARP, x, 1);
    x += __shfl_xor_sync(WHOLE_WARP, x, 2);
    return x + __shfl_xor_sync(WHOLE_WARP, x, 4);
}
