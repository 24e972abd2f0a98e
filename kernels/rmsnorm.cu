// RMS norm over channels (specs/meissonic.md 2.2).
//   forward   rstd = 1/sqrt(mean(x²) + eps), y = x · rstd · w
//   backward  n = x · rstd, g = dy · w, dx (+)= rstd (g - n mean(g·n)), dw += Σ_rows dy · n
//   x, y, dy, dx [M,C] of T with row strides; w [C] of T; rstd [M] fp32, saved for backward; dw [C] fp32
//   floor     forward 2·M·C·sizeof(T) bytes and 4·M·C operations; backward 3·M·C·sizeof(T) (4 when accumulating) and 10·M·C
// A warp owns a row (C <= 1024 in bf16, 512 in fp32), else a block of 128 threads does; the row stays in registers. Backward: a block
// takes RMSNORM_CHUNK rows and leaves its part of dw in a workspace [blocks,C] that columnsum.cu adds up in order.
#include "rows.cuh"

constexpr int RMSNORM_CHUNK = 32;

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
    int accumulate;
    int vectors;
};

template <typename T, int TEAM, int N>
__device__ __forceinline__ void rmsnorm_forward_row(const RmsNormArguments& a, int row, bool live, float* scratch)
{
    int lane = threadIdx.x % TEAM;
    const T* x = (const T*)a.x + row * a.xStride;
    T* y = (T*)a.y + row * a.yStride;
    const T* weight = (const T*)a.weight;
    float kept[ROW_KEEP][N];
    float sum = 0;
    if (live)
    {
#pragma unroll
        for (int k = 0; k < ROW_KEEP; k++)
        {
            int c = (k * TEAM + lane) * N;
            if (c < a.columns)
            {
                load_floats(x + c, kept[k]);
#pragma unroll
                for (int i = 0; i < N; i++)
                {
                    sum = fmaf(kept[k][i], kept[k][i], sum);
                }
            }
        }

        for (int c = (ROW_KEEP * TEAM + lane) * N; c < a.columns; c += TEAM * N)
        {
            float v[N];
            load_floats(x + c, v);
#pragma unroll
            for (int i = 0; i < N; i++)
            {
                sum = fmaf(v[i], v[i], sum);
            }
        }
    }

    float rstd = 1.0f / sqrtf(team_sum<TEAM>(sum, scratch) / a.columns + a.epsilon);
    if (!live)
    {
        return;
    }

    if (lane == 0)
    {
        a.rstd[row] = rstd;
    }

#pragma unroll
    for (int k = 0; k < ROW_KEEP; k++)
    {
        int c = (k * TEAM + lane) * N;
        if (c < a.columns)
        {
            float w[N];
            load_floats(weight + c, w);
#pragma unroll
            for (int i = 0; i < N; i++)
            {
                kept[k][i] = kept[k][i] * rstd * w[i];
            }

            store_floats(y + c, kept[k]);
        }
    }

    for (int c = (ROW_KEEP * TEAM + lane) * N; c < a.columns; c += TEAM * N)
    {
        float v[N], w[N];
        load_floats(x + c, v);
        load_floats(weight + c, w);
#pragma unroll
        for (int i = 0; i < N; i++)
        {
            v[i] = v[i] * rstd * w[i];
        }

        store_floats(y + c, v);
    }
}

template <typename T>
__device__ __forceinline__ void rmsnorm_forward(const RmsNormArguments& a)
{
    constexpr int N = Wide<T>::count;
    __shared__ float scratch[ROW_BLOCK / 32];
    int rows = live_rows(a.live, a.rows);
    if (row_fits_warp<T>(a.columns))
    {
        int row = blockIdx.x * (ROW_BLOCK / 32) + threadIdx.x / 32;
        if (a.vectors)
        {
            rmsnorm_forward_row<T, 32, N>(a, row, row < rows, scratch);
        }
        else
        {
            rmsnorm_forward_row<T, 32, 1>(a, row, row < rows, scratch);
        }
    }
    else if (a.vectors)
    {
        rmsnorm_forward_row<T, ROW_BLOCK, N>(a, blockIdx.x, blockIdx.x < rows, scratch);
    }
    else
    {
        rmsnorm_forward_row<T, ROW_BLOCK, 1>(a, blockIdx.x, blockIdx.x < rows, scratch);
    }
}

// One block, one chunk of rows, all threads on each row: thread j keeps the columns it owns of dw in registers from row to row.
template <typename T, int N>
__device__ __forceinline__ void rmsnorm_backward_chunk(const RmsNormBackwardArguments& a, float* scratch)
{
    int first = blockIdx.x * RMSNORM_CHUNK;
    int last = min(first + RMSNORM_CHUNK, a.rows);
    const T* weight = (const T*)a.weight;
    for (int base = 0; base < a.columns; base += ROW_KEEP * ROW_BLOCK * N)
    {
        float dw[ROW_KEEP][N] = {};
        for (int row = first; row < last; row++)
        {
            const T* x = (const T*)a.x + row * a.xStride;
            const T* dy = (const T*)a.dy + row * a.dyStride;
            T* dx = (T*)a.dx + row * a.dxStride;
            float rstd = a.rstd[row];
            float n[ROW_KEEP][N], g[ROW_KEEP][N];
            float sum = 0;

            // Columns outside this span count for the mean only; there are none at C <= 4096 (bf16), 2048 (fp32).
            for (int c = threadIdx.x * N; c < a.columns; c += ROW_BLOCK * N)
            {
                if (c >= base && c < base + ROW_KEEP * ROW_BLOCK * N)
                {
                    continue;
                }

                float xv[N], dv[N], wv[N];
                load_floats(x + c, xv);
                load_floats(dy + c, dv);
                load_floats(weight + c, wv);
#pragma unroll
                for (int i = 0; i < N; i++)
                {
                    sum = fmaf(dv[i] * wv[i], xv[i] * rstd, sum);
                }
            }

#pragma unroll
            for (int k = 0; k < ROW_KEEP; k++)
            {
                int c = base + (k * ROW_BLOCK + threadIdx.x) * N;
                if (c < a.columns)
                {
                    float w[N];
                    load_floats(x + c, n[k]);
                    load_floats(dy + c, g[k]);
                    load_floats(weight + c, w);
#pragma unroll
                    for (int i = 0; i < N; i++)
                    {
                        n[k][i] *= rstd;
                        dw[k][i] = fmaf(g[k][i], n[k][i], dw[k][i]);
                        g[k][i] *= w[i];
                        sum = fmaf(g[k][i], n[k][i], sum);
                    }
                }
            }

            float mean = team_sum<ROW_BLOCK>(sum, scratch) / a.columns;
#pragma unroll
            for (int k = 0; k < ROW_KEEP; k++)
            {
                int c = base + (k * ROW_BLOCK + threadIdx.x) * N;
                if (c < a.columns)
                {
                    float old[N];
                    if (a.accumulate)
                    {
                        load_floats(dx + c, old);
                    }

#pragma unroll
                    for (int i = 0; i < N; i++)
                    {
                        float result = rstd * fmaf(-n[k][i], mean, g[k][i]);
                        g[k][i] = a.accumulate ? old[i] + result : result;
                    }

                    store_floats(dx + c, g[k]);
                }
            }
        }

        if (a.partials != nullptr)
        {
#pragma unroll
            for (int k = 0; k < ROW_KEEP; k++)
            {
                int c = base + (k * ROW_BLOCK + threadIdx.x) * N;
                if (c < a.columns)
                {
#pragma unroll
                    for (int i = 0; i < N; i++)
                    {
                        a.partials[(int64)blockIdx.x * a.columns + c + i] = dw[k][i];
                    }
                }
            }
        }
    }
}

template <typename T>
__device__ __forceinline__ void rmsnorm_backward(const RmsNormBackwardArguments& a)
{
    __shared__ float scratch[ROW_BLOCK / 32];
    if (a.vectors)
    {
        rmsnorm_backward_chunk<T, Wide<T>::count>(a, scratch);
    }
    else
    {
        rmsnorm_backward_chunk<T, 1>(a, scratch);
    }
}

extern "C" __global__ void __launch_bounds__(ROW_BLOCK) rmsnorm_forward_f32(const RmsNormArguments a)
{
    rmsnorm_forward<float>(a);
}

extern "C" __global__ void __launch_bounds__(ROW_BLOCK) rmsnorm_backward_f32(const RmsNormBackwardArguments a)
{
    rmsnorm_backward<float>(a);
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(ROW_BLOCK) rmsnorm_forward_bf16(const RmsNormArguments a)
{
    rmsnorm_forward<bf16>(a);
}

extern "C" __global__ void __launch_bounds__(ROW_BLOCK) rmsnorm_backward_bf16(const RmsNormBackwardArguments a)
{
    rmsnorm_backward<bf16>(a);
}
#endif
