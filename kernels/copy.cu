// y := x, also from fp32 to bf16 and back.
//   x, y   [M,C] with row strides, of one element type, or one of fp32 and the other of bf16
//   live   rows at and beyond *live are left alone
//   floor  M·C·(sizeof x + sizeof y) bytes, no operation
// Elements of one type are moved as bytes, in the largest unit that divides addresses and strides: a thread per unit.
#include "elements.cuh"

struct CopyArguments
{
    const void* x;
    void* y;
    const int* live;
    int64 xStride;
    int64 yStride;
    ElementGrid grid;
    int unit;
};

// Strides and columns count bytes.
template <typename Unit>
__device__ __forceinline__ void copy_units(const CopyArguments& a, int64 rows)
{
    int64 column = ((int64)blockIdx.x * blockDim.x + threadIdx.x) * sizeof(Unit);
    if (column >= a.grid.columns)
    {
        return;
    }

    for (int64 row = blockIdx.y * blockDim.y + threadIdx.y; row < rows; row += gridDim.y * blockDim.y)
    {
        *(Unit*)((uint8*)a.y + row * a.yStride + column) = *(const Unit*)((const uint8*)a.x + row * a.xStride + column);
    }
}

extern "C" __global__ void __launch_bounds__(256) copy_bytes(const CopyArguments a)
{
    int64 rows = live_rows(a.live, a.grid.rows);
    switch (a.unit)
    {
        case 16:
            copy_units<uint4>(a, rows);
            break;
        case 4:
            copy_units<uint32>(a, rows);
            break;
        case 2:
            copy_units<uint16>(a, rows);
            break;
        default:
            copy_units<uint8>(a, rows);
            break;
    }
}

#if HAS_BF16
template <typename From, typename To>
struct Conversion
{
    const CopyArguments& a;

    template <int N>
    __device__ __forceinline__ void at(int64 row, int64 column) const
    {
        float v[N];
        load_floats((const From*)a.x + row * a.xStride + column, v);
        store_floats((To*)a.y + row * a.yStride + column, v);
    }
};

template <typename From, typename To>
__device__ __forceinline__ void copy_converted(const CopyArguments& a)
{
    ElementGrid grid = a.grid;
    grid.rows = live_rows(a.live, grid.rows);
    for_each_run<float>(grid, Conversion<From, To>{a});
}

extern "C" __global__ void __launch_bounds__(256) copy_to_bf16(const CopyArguments a)
{
    copy_converted<float, bf16>(a);
}

extern "C" __global__ void __launch_bounds__(256) copy_to_f32(const CopyArguments a)
{
    copy_converted<bf16, float>(a);
}
#endif
