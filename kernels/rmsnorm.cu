// RMS norm over channels (specs/meissonic.md 2.2).
//   forward   rstd = 1/sqrt(mean(x²) + eps), y = x · rstd · w
//   backward  n = x · rstd, g = dy · w, dx (+)= rstd (g - n mean(g·n)), dw += Σ_rows dy · n
//   x, y, dy, dx [M,C] of T with row strides; w [C] of T; rstd [M] fp32, saved for backward; dw [C] fp32
//   live      forward leaves rows at and beyond *live alone
//   floor     forward 2·M·C·sizeof(T) bytes and 4·M·C operations; backward 3·M·C·sizeof(T) (4 when accumulating) and 10·M·C
// Geometry as rows.cuh says. A backward block leaves its part of dw in a workspace [blocks,C] that columnsum.cu adds up in order.
#include "rows.cuh"

struct RmsNormArguments
{
    const void* x;
    const void* weight;
    void* y;
    float* rstd;
    const int* live;
    int64 xStride;
    int64 yStride;
    int rows;
    int columns;
    float epsilon;
    int vectors;
};

struct RmsNormBackwardArguments
{
    const void* dy;
    const void* x;
    const void* weight;
    const float* rstd;
    void* dx;
    float* partials;
    int64 dyStride;
    int64 xStride;
    int64 dxStride;
    int rows;
    int columns;
    int chunk;
    int accumulate;
    int vectors;
};

__device__ __forceinline__ float rmsnorm_rstd(float squares, const RmsNormArguments& a, int row)
{
    float rstd = 1.0f / sqrtf(warp_sum(squares) / a.columns + a.epsilon);
    if (threadIdx.x % 32 == 0)
    {
        a.rstd[row] = rstd;
    }

    return rstd;
}

template <typename T>
__device__ __forceinline__ void rmsnorm_forward_kept(const RmsNormArguments& a, int row, int last)
{
    constexpr int N = Wide<T>::count;
    __shared__ SharedRow<T> weight;
    load_shared_row<T>(weight, a.weight, a.columns);
    __syncthreads();
    for (; row < last; row += ROW_FORWARD_BLOCK / 32)
    {
        WarpRow<T> x;
        x.load((const T*)a.x + row * a.xStride, a.columns);
        float sum = 0;
#pragma unroll
        for (int k = 0; k < x.RUNS; k++)
        {
#pragma unroll
            for (int i = 0; i < N; i++)
            {
                sum = fmaf(x.at[k][i], x.at[k][i], sum);
            }
        }

        float rstd = rmsnorm_rstd(sum, a, row);
#pragma unroll
        for (int k = 0; k < x.RUNS; k++)
        {
            if (x.column(k) < a.columns)
            {
                Pack<T, N> w = weight[x.column(k) / N];
#pragma unroll
                for (int i = 0; i < N; i++)
                {
                    x.at[k][i] = x.at[k][i] * rstd * to_float(w.at[i]);
                }

                store_floats((T*)a.y + row * a.yStride + x.column(k), x.at[k]);
            }
        }
    }
}

template <typename T, int N>
__device__ __forceinline__ void rmsnorm_forward_long(const RmsNormArguments& a, int row, int last)
{
    for (; row < last; row += ROW_FORWARD_BLOCK / 32)
    {
        const T* x = (const T*)a.x + row * a.xStride;
        float v[N], w[N];
        float sum = 0;
        for (int c = threadIdx.x % 32 * N; c < a.columns; c += 32 * N)
        {
            load_floats(x + c, v);
#pragma unroll
            for (int i = 0; i < N; i++)
            {
                sum = fmaf(v[i], v[i], sum);
            }
        }

        float rstd = rmsnorm_rstd(sum, a, row);
        for (int c = threadIdx.x % 32 * N; c < a.columns; c += 32 * N)
        {
            load_floats(x + c, v);
            load_floats((const T*)a.weight + c, w);
#pragma unroll
            for (int i = 0; i < N; i++)
            {
                v[i] = v[i] * rstd * w[i];
            }

            store_floats((T*)a.y + row * a.yStride + c, v);
        }
    }
}

template <typename T>
__device__ __forceinline__ void rmsnorm_forward(const RmsNormArguments& a)
{
    int first = blockIdx.x * ROW_FORWARD_CHUNK;
    int last = min(first + ROW_FORWARD_CHUNK, live_rows(a.live, a.rows));
    if (first >= last)
    {
        return;
    }

    int row = first + threadIdx.x / 32;
    if (!a.vectors)
    {
        rmsnorm_forward_long<T, 1>(a, row, last);
    }
    else if (a.columns <= ROW_KEPT)
    {
        rmsnorm_forward_kept<T>(a, row, last);
    }
    else
    {
        rmsnorm_forward_long<T, Wide<T>::count>(a, row, last);
    }
}

template <typename T>
__device__ __forceinline__ void rmsnorm_backward_owned(const RmsNormBackwardArguments& a, int first, int last)
{
    using Owned = OwnedColumns<T>;
    constexpr int N = Owned::N;
    __shared__ BlockSums<ROW_AT_ONCE> block_sums;
    float w[Owned::RUNS][N], dw[Owned::RUNS][N] = {};
    Owned::load((const T*)a.weight, a.columns, true, w);
    for (int turn = 0, row = first; row < last; turn++, row += ROW_AT_ONCE)
    {
        float n[ROW_AT_ONCE][Owned::RUNS][N], g[ROW_AT_ONCE][Owned::RUNS][N];
        float rstd[ROW_AT_ONCE], sums[ROW_AT_ONCE];
#pragma unroll
        for (int r = 0; r < ROW_AT_ONCE; r++)
        {
            bool wanted = row + r < last;
            Owned::load((const T*)a.x + (row + r) * a.xStride, a.columns, wanted, n[r]);
            Owned::load((const T*)a.dy + (row + r) * a.dyStride, a.columns, wanted, g[r]);
        }

        load_for_warp(a.rstd + row, min(last - row, ROW_AT_ONCE), rstd);

#pragma unroll
        for (int r = 0; r < ROW_AT_ONCE; r++)
        {
            sums[r] = 0;
#pragma unroll
            for (int k = 0; k < Owned::RUNS; k++)
            {
#pragma unroll
                for (int i = 0; i < N; i++)
                {
                    n[r][k][i] *= rstd[r];
                    dw[k][i] = fmaf(g[r][k][i], n[r][k][i], dw[k][i]);
                    g[r][k][i] *= w[k][i];
                    sums[r] = fmaf(g[r][k][i], n[r][k][i], sums[r]);
                }
            }
        }

        block_sums(sums, turn);
#pragma unroll
        for (int r = 0; r < ROW_AT_ONCE; r++)
        {
            float mean = sums[r] / a.columns;
#pragma unroll
            for (int k = 0; k < Owned::RUNS; k++)
            {
#pragma unroll
                for (int i = 0; i < N; i++)
                {
                    g[r][k][i] = rstd[r] * fmaf(-n[r][k][i], mean, g[r][k][i]);
                }
            }

            if (row + r < last)
            {
                Owned::store((T*)a.dx + (row + r) * a.dxStride, a.columns, a.accumulate, g[r]);
            }
        }
    }

    if (a.partials != nullptr)
    {
        Owned::store_partials(a.partials + (int64)blockIdx.x * a.columns, a.columns, dw);
    }
}

template <typename T, int N>
__device__ __forceinline__ void rmsnorm_backward_long(const RmsNormBackwardArguments& a, int first, int last)
{
    const T* weight = (const T*)a.weight;
    for (int row = first + threadIdx.x / 32; row < last; row += ROW_BACKWARD_BLOCK / 32)
    {
        const T* x = (const T*)a.x + row * a.xStride;
        const T* dy = (const T*)a.dy + row * a.dyStride;
        T* dx = (T*)a.dx + row * a.dxStride;
        float rstd = a.rstd[row];
        float v[N], d[N], w[N], old[N];
        float sum = 0;
        for (int c = threadIdx.x % 32 * N; c < a.columns; c += 32 * N)
        {
            load_floats(x + c, v);
            load_floats(dy + c, d);
            load_floats(weight + c, w);
#pragma unroll
            for (int i = 0; i < N; i++)
            {
                sum = fmaf(d[i] * w[i], v[i] * rstd, sum);
            }
        }

        float mean = warp_sum(sum) / a.columns;
        for (int c = threadIdx.x % 32 * N; c < a.columns; c += 32 * N)
        {
            load_floats(x + c, v);
            load_floats(dy + c, d);
            load_floats(weight + c, w);
            if (a.accumulate)
            {
                load_floats(dx + c, old);
            }

#pragma unroll
            for (int i = 0; i < N; i++)
            {
                float result = rstd * fmaf(-v[i] * rstd, mean, d[i] * w[i]);
                v[i] = a.accumulate ? old[i] + result : result;
            }

            store_floats(dx + c, v);
        }
    }

    if (a.partials == nullptr)
    {
        return;
    }

    for (int c = threadIdx.x; c < a.columns; c += ROW_BACKWARD_BLOCK)
    {
        float sum = 0;
        for (int row = first; row < last; row++)
        {
            float n = to_float(((const T*)a.x)[row * a.xStride + c]) * a.rstd[row];
            sum = fmaf(to_float(((const T*)a.dy)[row * a.dyStride + c]), n, sum);
        }

        a.partials[(int64)blockIdx.x * a.columns + c] = sum;
    }
}

template <typename T>
__device__ __forceinline__ void rmsnorm_backward(const RmsNormBackwardArguments& a)
{
    int first = blockIdx.x * a.chunk;
    int last = min(first + a.chunk, a.rows);
    if (!a.vectors)
    {
        rmsnorm_backward_long<T, 1>(a, first, last);
    }
    else if (a.columns <= ROW_KEPT)
    {
        rmsnorm_backward_owned<T>(a, first, last);
    }
    else
    {
        rmsnorm_backward_long<T, Wide<T>::count>(a, first, last);
    }
}

extern "C" __global__ void __launch_bounds__(ROW_FORWARD_BLOCK, 2) rmsnorm_forward_f32(const RmsNormArguments a)
{
    rmsnorm_forward<float>(a);
}

extern "C" __global__ void __launch_bounds__(ROW_BACKWARD_BLOCK, 3) rmsnorm_backward_f32(const RmsNormBackwardArguments a)
{
    rmsnorm_backward<float>(a);
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(ROW_FORWARD_BLOCK, 2) rmsnorm_forward_bf16(const RmsNormArguments a)
{
    rmsnorm_forward<bf16>(a);
}

extern "C" __global__ void __launch_bounds__(ROW_BACKWARD_BLOCK, 3) rmsnorm_backward_bf16(const RmsNormBackwardArguments a)
{
    rmsnorm_backward<bf16>(a);
}
#endif
