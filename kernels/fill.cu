// x := value.
//   x      [M,C] of T, row stride XS
//   floor  M·C·sizeof(T) bytes written, no operation
// One thread per 16 bytes of a run; a contiguous tensor is one run, others one per row.
#include "common.cuh"

struct FillArguments
{
    void* x;
    int64 rows;
    int64 columns;
    int64 xStride;
    float value;
};

template <typename T>
__device__ __forceinline__ void fill(const FillArguments& a)
{
    constexpr int N = Wide<T>::count;
    T value = from_float<T>(a.value);
    int64 column = ((int64)blockIdx.x * blockDim.x + threadIdx.x) * N;
    for (int64 row = blockIdx.y; row < a.rows; row += gridDim.y)
    {
        T* x = (T*)a.x + row * a.xStride;
        if (column + N <= a.columns && (uint64)(x + column) % 16 == 0)
        {
            Pack<T, N> pack;
#pragma unroll
            for (int i = 0; i < N; i++)
            {
                pack.at[i] = value;
            }

            *reinterpret_cast<Pack<T, N>*>(x + column) = pack;
        }
        else
        {
            for (int64 c = column; c < min(column + N, a.columns); c++)
            {
                x[c] = value;
            }
        }
    }
}

extern "C" __global__ void __launch_bounds__(256) fill_f32(const FillArguments a)
{
    fill<float>(a);
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(256) fill_bf16(const FillArguments a)
{
    fill<bf16>(a);
}
#endif
