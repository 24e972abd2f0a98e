// Layer norm of groups of rows that share a multiplier and an addend: layer norm proper is one group, AdaLN a group per image.
//   forward   mean, rstd = 1/sqrt(mean((x - mean)²) + eps), n = (x - mean) rstd, y = n (offset + m) + a
//   backward  g = dy (offset + m), dx (+)= rstd (g - mean(g) - n mean(g·n)), dm += Σ_rows dy · n, da += Σ_rows dy
// Geometry as rows.cuh says; blockIdx.y is the group.
#pragma once

#include "rows.cuh"

struct LayerNormArguments
{
    const void* x;
    const void* multiplier;
    const void* addend;
    void* y;
    float* stats;
    int64 xStride;
    int64 yStride;
    int64 multiplierStride;
    int64 addendStride;
    int groupRows;
    int columns;
    float epsilon;
    int vectors;
};

struct LayerNormBackwardArguments
{
    const void* dy;
    const void* x;
    const void* multiplier;
    const float* stats;
    void* dx;
    float* multiplierPartials;
    float* addendPartials;
    int64 dyStride;
    int64 xStride;
    int64 dxStride;
    int64 multiplierStride;
    int groupRows;
    int columns;
    int chunk;
    int accumulate;
    int vectors;
};

// Centring before squaring: the difference of two large sums would lose the variance of rows far from zero.
__device__ __forceinline__ float layernorm_rstd(float squares, float mean, const LayerNormArguments& a, int64 row)
{
    float rstd = 1.0f / sqrtf(warp_sum(squares) / a.columns + a.epsilon);
    int lane = threadIdx.x % 32;
    if (lane < 2)
    {
        a.stats[2 * row + lane] = lane == 0 ? mean : rstd;
    }

    return rstd;
}

template <typename T, int OFFSET>
__device__ __forceinline__ void layernorm_forward_kept(const LayerNormArguments& a, const T* multiplier, const T* addend, int64 row, int64 last)
{
    constexpr int N = Wide<T>::count;
    __shared__ SharedRow<T> m_row;
    __shared__ SharedRow<T> a_row;
    load_shared_row<T>(m_row, multiplier, a.columns);
    load_shared_row<T>(a_row, addend, a.columns);
    __syncthreads();
    for (; row < last; row += ROW_FORWARD_BLOCK / 32)
    {
        WarpRow<T> x;
        x.load((const T*)a.x + row * a.xStride, a.columns);
        float sum = 0, squares = 0;
#pragma unroll
        for (int k = 0; k < x.RUNS; k++)
        {
#pragma unroll
            for (int i = 0; i < N; i++)
            {
                sum += x.at[k][i];
            }
        }

        float mean = warp_sum(sum) / a.columns;
#pragma unroll
        for (int k = 0; k < x.RUNS; k++)
        {
#pragma unroll
            for (int i = 0; i < N; i++)
            {
                float centred = x.column(k) < a.columns ? x.at[k][i] - mean : 0;
                squares = fmaf(centred, centred, squares);
            }
        }

        float rstd = layernorm_rstd(squares, mean, a, row);
#pragma unroll
        for (int k = 0; k < x.RUNS; k++)
        {
            if (x.column(k) < a.columns)
            {
                Pack<T, N> m = m_row[x.column(k) / N];
                Pack<T, N> add = a_row[x.column(k) / N];
#pragma unroll
                for (int i = 0; i < N; i++)
                {
                    x.at[k][i] = fmaf((x.at[k][i] - mean) * rstd, OFFSET + to_float(m.at[i]), to_float(add.at[i]));
                }

                store_floats((T*)a.y + row * a.yStride + x.column(k), x.at[k]);
            }
        }
    }
}

template <typename T, int OFFSET, int N>
__device__ __forceinline__ void layernorm_forward_long(const LayerNormArguments& a, const T* multiplier, const T* addend, int64 row, int64 last)
{
    for (; row < last; row += ROW_FORWARD_BLOCK / 32)
    {
        const T* x = (const T*)a.x + row * a.xStride;
        float v[N], m[N], add[N];
        float sum = 0, squares = 0;
        for (int c = threadIdx.x % 32 * N; c < a.columns; c += 32 * N)
        {
            load_floats(x + c, v);
#pragma unroll
            for (int i = 0; i < N; i++)
            {
                sum += v[i];
            }
        }

        float mean = warp_sum(sum) / a.columns;
        for (int c = threadIdx.x % 32 * N; c < a.columns; c += 32 * N)
        {
            load_floats(x + c, v);
#pragma unroll
            for (int i = 0; i < N; i++)
            {
                squares = fmaf(v[i] - mean, v[i] - mean, squares);
            }
        }

        float rstd = layernorm_rstd(squares, mean, a, row);
        for (int c = threadIdx.x % 32 * N; c < a.columns; c += 32 * N)
        {
            load_floats(x + c, v);
            load_floats(multiplier + c, m);
            load_floats(addend + c, add);
#pragma unroll
            for (int i = 0; i < N; i++)
            {
                v[i] = fmaf((v[i] - mean) * rstd, OFFSET + m[i], add[i]);
            }

            store_floats((T*)a.y + row * a.yStride + c, v);
        }
    }
}

template <typename T, int OFFSET>
__device__ __forceinline__ void layernorm_forward(const LayerNormArguments& a)
{
    int64 group = (int64)blockIdx.y * a.groupRows;
    int64 first = group + blockIdx.x * ROW_FORWARD_CHUNK;
    int64 last = min(first + ROW_FORWARD_CHUNK, group + a.groupRows);
    const T* multiplier = (const T*)a.multiplier + blockIdx.y * a.multiplierStride;
    const T* addend = (const T*)a.addend + blockIdx.y * a.addendStride;
    int64 row = first + threadIdx.x / 32;
    if (!a.vectors)
    {
        layernorm_forward_long<T, OFFSET, 1>(a, multiplier, addend, row, last);
    }
    else if (a.columns <= ROW_KEPT)
    {
        layernorm_forward_kept<T, OFFSET>(a, multiplier, addend, row, last);
    }
    else
    {
        layernorm_forward_long<T, OFFSET, Wide<T>::count>(a, multiplier, addend, row, last);
    }
}

template <typename T, int OFFSET>
__device__ __forceinline__ void layernorm_backward_owned(const LayerNormBackwardArguments& a, const T* multiplier, int64 block, int64 first, int64 last)
{
    using Owned = OwnedColumns<T>;
    constexpr int N = Owned::N;
    __shared__ BlockSums<2 * ROW_AT_ONCE> block_sums;
    float m[Owned::RUNS][N], dm[Owned::RUNS][N] = {}, da[Owned::RUNS][N] = {};
    Owned::load(multiplier, a.columns, true, m);
    int turn = 0;
    for (int64 row = first; row < last; turn++, row += ROW_AT_ONCE)
    {
        float n[ROW_AT_ONCE][Owned::RUNS][N], g[ROW_AT_ONCE][Owned::RUNS][N];
        float stats[2 * ROW_AT_ONCE], sums[2 * ROW_AT_ONCE];
#pragma unroll
        for (int r = 0; r < ROW_AT_ONCE; r++)
        {
            bool wanted = row + r < last;
            Owned::load((const T*)a.x + (row + r) * a.xStride, a.columns, wanted, n[r]);
            Owned::load((const T*)a.dy + (row + r) * a.dyStride, a.columns, wanted, g[r]);
        }

        load_for_warp(a.stats + 2 * row, 2 * (int)min(last - row, (int64)ROW_AT_ONCE), stats);

        // dy is zero in columns and rows that do not exist, so that they add nothing, whatever n is there.
#pragma unroll
        for (int r = 0; r < ROW_AT_ONCE; r++)
        {
            sums[2 * r] = sums[2 * r + 1] = 0;
#pragma unroll
            for (int k = 0; k < Owned::RUNS; k++)
            {
#pragma unroll
                for (int i = 0; i < N; i++)
                {
                    n[r][k][i] = (n[r][k][i] - stats[2 * r]) * stats[2 * r + 1];
                    dm[k][i] = fmaf(g[r][k][i], n[r][k][i], dm[k][i]);
                    da[k][i] += g[r][k][i];
                    g[r][k][i] *= OFFSET + m[k][i];
                    sums[2 * r] += g[r][k][i];
                    sums[2 * r + 1] = fmaf(g[r][k][i], n[r][k][i], sums[2 * r + 1]);
                }
            }
        }

        block_sums(sums, turn);
#pragma unroll
        for (int r = 0; r < ROW_AT_ONCE; r++)
        {
            float mean_g = sums[2 * r] / a.columns, mean_gn = sums[2 * r + 1] / a.columns;
#pragma unroll
            for (int k = 0; k < Owned::RUNS; k++)
            {
#pragma unroll
                for (int i = 0; i < N; i++)
                {
                    g[r][k][i] = stats[2 * r + 1] * fmaf(-n[r][k][i], mean_gn, g[r][k][i] - mean_g);
                }
            }

            if (row + r < last)
            {
                Owned::store((T*)a.dx + (row + r) * a.dxStride, a.columns, a.accumulate, g[r]);
            }
        }
    }

    if (a.multiplierPartials != nullptr)
    {
        Owned::store_partials(a.multiplierPartials + block * a.columns, a.columns, dm);
    }

    if (a.addendPartials != nullptr)
    {
        Owned::store_partials(a.addendPartials + block * a.columns, a.columns, da);
    }
}

template <typename T, int OFFSET, int N>
__device__ __forceinline__ void layernorm_backward_long(const LayerNormBackwardArguments& a, const T* multiplier, int64 block, int64 first, int64 last)
{
    for (int64 row = first + threadIdx.x / 32; row < last; row += ROW_BACKWARD_BLOCK / 32)
    {
        const T* x = (const T*)a.x + row * a.xStride;
        const T* dy = (const T*)a.dy + row * a.dyStride;
        T* dx = (T*)a.dx + row * a.dxStride;
        float mean = a.stats[2 * row], rstd = a.stats[2 * row + 1];
        float v[N], d[N], m[N], old[N];
        float sum_g = 0, sum_gn = 0;
        for (int c = threadIdx.x % 32 * N; c < a.columns; c += 32 * N)
        {
            load_floats(x + c, v);
            load_floats(dy + c, d);
            load_floats(multiplier + c, m);
#pragma unroll
            for (int i = 0; i < N; i++)
            {
                float g = d[i] * (OFFSET + m[i]);
                sum_g += g;
                sum_gn = fmaf(g, (v[i] - mean) * rstd, sum_gn);
            }
        }

        float mean_g = warp_sum(sum_g) / a.columns, mean_gn = warp_sum(sum_gn) / a.columns;
        for (int c = threadIdx.x % 32 * N; c < a.columns; c += 32 * N)
        {
            load_floats(x + c, v);
            load_floats(dy + c, d);
            load_floats(multiplier + c, m);
            if (a.accumulate)
            {
                load_floats(dx + c, old);
            }

#pragma unroll
            for (int i = 0; i < N; i++)
            {
                float n = (v[i] - mean) * rstd;
                float result = rstd * fmaf(-n, mean_gn, d[i] * (OFFSET + m[i]) - mean_g);
                v[i] = a.accumulate ? old[i] + result : result;
            }

            store_floats(dx + c, v);
        }
    }

    if (a.multiplierPartials == nullptr && a.addendPartials == nullptr)
    {
        return;
    }

    for (int c = threadIdx.x; c < a.columns; c += ROW_BACKWARD_BLOCK)
    {
        float dm = 0, da = 0;
        for (int64 row = first; row < last; row++)
        {
            float d = to_float(((const T*)a.dy)[row * a.dyStride + c]);
            float n = (to_float(((const T*)a.x)[row * a.xStride + c]) - a.stats[2 * row]) * a.stats[2 * row + 1];
            dm = fmaf(d, n, dm);
            da += d;
        }

        if (a.multiplierPartials != nullptr)
        {
            a.multiplierPartials[block * a.columns + c] = dm;
        }

        if (a.addendPartials != nullptr)
        {
            a.addendPartials[block * a.columns + c] = da;
        }
    }
}

template <typename T, int OFFSET>
__device__ __forceinline__ void layernorm_backward(const LayerNormBackwardArguments& a)
{
    int64 group = (int64)blockIdx.y * a.groupRows;
    int64 first = group + blockIdx.x * a.chunk;
    int64 last = min(first + a.chunk, group + a.groupRows);
    int64 block = (int64)blockIdx.y * gridDim.x + blockIdx.x;
    const T* multiplier = (const T*)a.multiplier + blockIdx.y * a.multiplierStride;
    if (!a.vectors)
    {
        layernorm_backward_long<T, OFFSET, 1>(a, multiplier, block, first, last);
    }
    else if (a.columns <= ROW_KEPT)
    {
        layernorm_backward_owned<T, OFFSET>(a, multiplier, block, first, last);
    }
    else
    {
        layernorm_backward_long<T, OFFSET, Wide<T>::count>(a, multiplier, block, first, last);
    }
}
