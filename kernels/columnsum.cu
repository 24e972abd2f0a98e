// Sums the partial results of blocks: y[c] += Σ_b partials[b,c], b in ascending order, for gradients that many blocks add to.
//   partials [G,B,C] fp32 for G groups of B blocks; y [G,C] fp32 or bf16, row stride YS
//   floor    4·G·B·C bytes, G·B·C operations
// One thread per column; no atomics, so that the order of the sum is fixed.
#include "common.cuh"

struct ColumnSumArguments
{
    const float* partials;
    void* y;
    int64 yStride;
    int groups;
    int blocks;
    int columns;
};

template <typename T>
__device__ __forceinline__ void columnsum(const ColumnSumArguments& a)
{
    int c = blockIdx.x * blockDim.x + threadIdx.x;
    if (c >= a.columns)
    {
        return;
    }

    for (int group = blockIdx.y; group < a.groups; group += gridDim.y)
    {
        const float* p = a.partials + (int64)group * a.blocks * a.columns + c;
        float sum = 0;
        for (int block = 0; block < a.blocks; block++)
        {
            sum += p[(int64)block * a.columns];
        }

        T* y = (T*)a.y + group * a.yStride + c;
        *y = from_float<T>(to_float(*y) + sum);
    }
}

extern "C" __global__ void __launch_bounds__(128) columnsum_f32(const ColumnSumArguments a)
{
    columnsum<float>(a);
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(128) columnsum_bf16(const ColumnSumArguments a)
{
    columnsum<bf16>(a);
}
#endif
