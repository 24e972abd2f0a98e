// y[b,c,n] = x[b,n,c].
//   x [B,N,C], y [B,C,N] of T with row strides
//   floor  2·B·N·C·sizeof(T) bytes, no operation
// A block of 32x8 threads carries a tile of 32x32 elements through shared memory, so that both sides are accessed along their rows; a
// pitch of an odd number of words keeps the columns of the tile in different banks.
#include "common.cuh"

constexpr int TRANSPOSE_TILE = 32;
constexpr int TRANSPOSE_ROWS = 8;

struct TransposeTokensArguments
{
    const void* x;
    void* y;
    int64 xStride;
    int64 yStride;
    int images;
    int tokens;
    int columns;
};

template <typename T>
__device__ __forceinline__ void transposetokens(const TransposeTokensArguments& a)
{
    __shared__ T tile[TRANSPOSE_TILE][TRANSPOSE_TILE + 4 / sizeof(T)];
    int firstColumn = blockIdx.x * TRANSPOSE_TILE, firstToken = blockIdx.y * TRANSPOSE_TILE;
    for (int64 image = blockIdx.z; image < a.images; image += gridDim.z)
    {
        int column = firstColumn + threadIdx.x;
#pragma unroll
        for (int i = 0; i < TRANSPOSE_TILE; i += TRANSPOSE_ROWS)
        {
            int token = firstToken + threadIdx.y + i;
            if (token < a.tokens && column < a.columns)
            {
                tile[threadIdx.y + i][threadIdx.x] = ((const T*)a.x)[(image * a.tokens + token) * a.xStride + column];
            }
        }

        __syncthreads();
        int token = firstToken + threadIdx.x;
#pragma unroll
        for (int i = 0; i < TRANSPOSE_TILE; i += TRANSPOSE_ROWS)
        {
            int c = firstColumn + threadIdx.y + i;
            if (token < a.tokens && c < a.columns)
            {
                ((T*)a.y)[(image * a.columns + c) * a.yStride + token] = tile[threadIdx.x][threadIdx.y + i];
            }
        }

        __syncthreads();
    }
}

extern "C" __global__ void __launch_bounds__(256) transposetokens_f32(const TransposeTokensArguments a)
{
    transposetokens<float>(a);
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(256) transposetokens_bf16(const TransposeTokensArguments a)
{
    transposetokens<bf16>(a);
}
#endif
