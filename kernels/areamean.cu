// Mean over equal blocks of pixels.
//   forward   y[b,i,j] = mean of x over block (i,j)
//   backward  dx := dy of its block, divided by the number of pixels
//   x, dx [B,H,W,C], y, dy [B,h,w,C] of T, pixels apart by strides; H a multiple of h, W of w
//   floor     (B·H·W + B·h·w)·C·sizeof(T) bytes either way; forward B·H·W·C additions, backward B·h·w·C divisions
// A row of the grid is a pixel of the small side, a thread owns 16 bytes of its channels and goes through the block, row by row.
#include "elements.cuh"

struct AreaMeanArguments
{
    const void* from;
    void* to;
    int64 largeStride;
    int64 smallStride;
    ElementGrid grid;
    int outHeight;
    int outWidth;
    int blockHeight;
    int blockWidth;
};

// The first pixel of a block of the large side.
__device__ __forceinline__ int64 areamean_corner(const AreaMeanArguments& a, int64 block)
{
    int64 line = block / a.outWidth;
    return (line * a.blockHeight * a.outWidth + block % a.outWidth) * a.blockWidth;
}

template <typename T>
struct AreaMean
{
    const AreaMeanArguments& a;

    template <int N>
    __device__ __forceinline__ void at(int64 row, int64 column) const
    {
        int64 line = (int64)a.outWidth * a.blockWidth * a.largeStride;
        const T* x = (const T*)a.from + areamean_corner(a, row) * a.largeStride + column;
        float sum[N] = {};
        for (int i = 0; i < a.blockHeight; i++)
        {
#pragma unroll 4
            for (int j = 0; j < a.blockWidth; j++)
            {
                float v[N];
                load_floats(x + j * a.largeStride, v);
#pragma unroll
                for (int k = 0; k < N; k++)
                {
                    sum[k] += v[k];
                }
            }

            x += line;
        }

#pragma unroll
        for (int k = 0; k < N; k++)
        {
            sum[k] /= a.blockHeight * a.blockWidth;
        }

        store_floats((T*)a.to + row * a.smallStride + column, sum);
    }
};

template <typename T>
struct AreaMeanGradient
{
    const AreaMeanArguments& a;

    template <int N>
    __device__ __forceinline__ void at(int64 row, int64 column) const
    {
        int64 line = (int64)a.outWidth * a.blockWidth * a.largeStride;
        T* dx = (T*)a.to + areamean_corner(a, row) * a.largeStride + column;
        float d[N];
        load_floats((const T*)a.from + row * a.smallStride + column, d);
#pragma unroll
        for (int k = 0; k < N; k++)
        {
            d[k] /= a.blockHeight * a.blockWidth;
        }

        for (int i = 0; i < a.blockHeight; i++)
        {
            for (int j = 0; j < a.blockWidth; j++)
            {
                store_floats(dx + j * a.largeStride, d);
            }

            dx += line;
        }
    }
};

extern "C" __global__ void __launch_bounds__(256, 2) areamean_forward_f32(const AreaMeanArguments a)
{
    for_each_run<float>(a.grid, AreaMean<float>{a});
}

extern "C" __global__ void __launch_bounds__(256, 2) areamean_backward_f32(const AreaMeanArguments a)
{
    for_each_run<float>(a.grid, AreaMeanGradient<float>{a});
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(256, 2) areamean_forward_bf16(const AreaMeanArguments a)
{
    for_each_run<bf16>(a.grid, AreaMean<bf16>{a});
}

extern "C" __global__ void __launch_bounds__(256, 2) areamean_backward_bf16(const AreaMeanArguments a)
{
    for_each_run<bf16>(a.grid, AreaMeanGradient<bf16>{a});
}
#endif
