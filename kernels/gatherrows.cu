// Selection of rows and its scatter.
//   forward   y[r] = x[rows[r]]; positions r at and beyond *live are left alone
//   backward  dx := 0 unless accumulating, then dx[rows[r]] += dy[r]; rows are distinct
//   x, dx [M,C], y, dy [R,C] of T with row strides; rows [R] int
//   floor     forward 2·R·C·sizeof(T) bytes; backward (R + M)·C·sizeof(T), 3·R·C·sizeof(T) when accumulating; no operation, or R·C additions
// A warp per row. The scatter that overwrites goes over the rows of dx, so that each is written once: gatherrows_inverse has noted for
// every row which r it is the target of (a workspace [M] of int, -1 where none).
#include "common.cuh"

struct GatherRowsArguments
{
    const void* x;
    const int* rows;
    void* y;
    const int* live;
    int64 xStride;
    int64 yStride;
    int count;
    int columns;
    int vectors;
};

struct GatherRowsInverseArguments
{
    const int* rows;
    int* inverse;
    int count;
};

struct GatherRowsScatterArguments
{
    const void* dy;
    const int* map;
    void* dx;
    int64 dyStride;
    int64 dxStride;
    int count;
    int columns;
    int vectors;
};

__device__ __forceinline__ int warp_of_grid()
{
    return blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32;
}

template <typename T, int N>
__device__ __forceinline__ void gatherrows_forward(const GatherRowsArguments& a)
{
    int r = warp_of_grid();
    if (r >= live_rows(a.live, a.count))
    {
        return;
    }

    const T* x = (const T*)a.x + a.rows[r] * a.xStride;
    T* y = (T*)a.y + r * a.yStride;
    for (int c = threadIdx.x % 32 * N; c < a.columns; c += 32 * N)
    {
        *(Pack<T, N>*)(y + c) = *(const Pack<T, N>*)(x + c);
    }
}

// count: M.
extern "C" __global__ void __launch_bounds__(256) gatherrows_clear(const GatherRowsInverseArguments a)
{
    int m = blockIdx.x * blockDim.x + threadIdx.x;
    if (m < a.count)
    {
        a.inverse[m] = -1;
    }
}

// count: R.
extern "C" __global__ void __launch_bounds__(256) gatherrows_inverse(const GatherRowsInverseArguments a)
{
    int r = blockIdx.x * blockDim.x + threadIdx.x;
    if (r < a.count)
    {
        a.inverse[a.rows[r]] = r;
    }
}

// count and map: M and the inverse.
template <typename T, int N>
__device__ __forceinline__ void gatherrows_scatter(const GatherRowsScatterArguments& a)
{
    int m = warp_of_grid();
    if (m >= a.count)
    {
        return;
    }

    int r = a.map[m];
    const T* dy = (const T*)a.dy + r * a.dyStride;
    T* dx = (T*)a.dx + m * a.dxStride;
    for (int c = threadIdx.x % 32 * N; c < a.columns; c += 32 * N)
    {
        *(Pack<T, N>*)(dx + c) = r < 0 ? Pack<T, N>{} : *(const Pack<T, N>*)(dy + c);
    }
}

// count and map: R and rows.
template <typename T, int N>
__device__ __forceinline__ void gatherrows_add(const GatherRowsScatterArguments& a)
{
    int r = warp_of_grid();
    if (r >= a.count)
    {
        return;
    }

    const T* dy = (const T*)a.dy + r * a.dyStride;
    T* dx = (T*)a.dx + a.map[r] * a.dxStride;
    for (int c = threadIdx.x % 32 * N; c < a.columns; c += 32 * N)
    {
        float d[N], old[N];
        load_floats(dy + c, d);
        load_floats(dx + c, old);
#pragma unroll
        for (int i = 0; i < N; i++)
        {
            old[i] += d[i];
        }

        store_floats(dx + c, old);
    }
}

extern "C" __global__ void __launch_bounds__(256) gatherrows_forward_f32(const GatherRowsArguments a)
{
    a.vectors ? gatherrows_forward<float, 4>(a) : gatherrows_forward<float, 1>(a);
}

extern "C" __global__ void __launch_bounds__(256) gatherrows_scatter_f32(const GatherRowsScatterArguments a)
{
    a.vectors ? gatherrows_scatter<float, 4>(a) : gatherrows_scatter<float, 1>(a);
}

extern "C" __global__ void __launch_bounds__(256) gatherrows_add_f32(const GatherRowsScatterArguments a)
{
    a.vectors ? gatherrows_add<float, 4>(a) : gatherrows_add<float, 1>(a);
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(256) gatherrows_forward_bf16(const GatherRowsArguments a)
{
    a.vectors ? gatherrows_forward<bf16, 8>(a) : gatherrows_forward<bf16, 1>(a);
}

extern "C" __global__ void __launch_bounds__(256) gatherrows_scatter_bf16(const GatherRowsScatterArguments a)
{
    a.vectors ? gatherrows_scatter<bf16, 8>(a) : gatherrows_scatter<bf16, 1>(a);
}

extern "C" __global__ void __launch_bounds__(256) gatherrows_add_bf16(const GatherRowsScatterArguments a)
{
    a.vectors ? gatherrows_add<bf16, 8>(a) : gatherrows_add<bf16, 1>(a);
}
#endif
