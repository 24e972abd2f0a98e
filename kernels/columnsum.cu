// Sums the partial results of blocks: y[g,c] += Σ_b partials[g,b,c], for gradients that many blocks add to.
//   partials [G,B,C] fp32 for G groups of B blocks; y [G,C] fp32 or bf16, row stride YS
//   floor    4·G·B·C + 2·G·C·sizeof(y) bytes, G·B·C operations
// A block of 256 threads has blockDim.y slices of the partials and blockDim.x columns: slice s adds partials s, s + blockDim.y, ... in
// ascending order, then the slices are added in order. The number of slices, hence the order, depends on B alone; no atomics.
#include "common.cuh"

constexpr int COLUMNSUM_BLOCK = 256;

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
    __shared__ float slices[COLUMNSUM_BLOCK];
    int c = blockIdx.x * blockDim.x + threadIdx.x;
    for (int group = blockIdx.y; group < a.groups; group += gridDim.y)
    {
        float sum = 0;
        if (c < a.columns)
        {
            const float* p = a.partials + (int64)group * a.blocks * a.columns + c;
#pragma unroll 4
            for (int block = threadIdx.y; block < a.blocks; block += blockDim.y)
            {
                sum += p[(int64)block * a.columns];
            }
        }

        slices[threadIdx.y * blockDim.x + threadIdx.x] = sum;
        __syncthreads();
        if (threadIdx.y == 0 && c < a.columns)
        {
            for (int slice = 1; slice < blockDim.y; slice++)
            {
                sum += slices[slice * blockDim.x + threadIdx.x];
            }

            T* y = (T*)a.y + group * a.yStride + c;
            *y = from_float<T>(to_float(*y) + sum);
        }

        __syncthreads();
    }
}

extern "C" __global__ void __launch_bounds__(COLUMNSUM_BLOCK) columnsum_f32(const ColumnSumArguments a)
{
    columnsum<float>(a);
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(COLUMNSUM_BLOCK) columnsum_bf16(const ColumnSumArguments a)
{
    columnsum<bf16>(a);
}
#endif
