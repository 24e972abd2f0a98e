// The epilogue of linear.cu on products that another library left in fp32: y = a | residual + a | residual + gate ⊙ a with a = activation(p + bias).
//   a.a holds p [M,N] fp32, adjacent rows; the other tensors as in linear.cu
//   floor     (4 + sizeof(y) + sizeof(T)·(residual + preActivation))·M·N bytes
// A thread has four adjacent columns of one row.
#include "linear.cuh"

template <typename T, typename Y>
__device__ __forceinline__ void linear_epilogue(const LinearArguments& a)
{
    int column = (blockIdx.x * blockDim.x + threadIdx.x) * 4;
    if (column >= a.columns)
    {
        return;
    }

    float bias[4];
    linear_bias<T>(a, column, bias);
    for (int row = blockIdx.y; row < a.rows; row += gridDim.y)
    {
        float v[4];
        load_part((const float*)a.a + row * a.aStride + column, a.columns - column, a.aVectors, v);
        linear_finish<T, Y>(a, (Y*)a.y, row, column, bias, v);
    }
}

extern "C" __global__ void __launch_bounds__(128) linearepilogue_f32(const LinearArguments a)
{
    linear_epilogue<float, float>(a);
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(128) linearepilogue_bf16(const LinearArguments a)
{
    if (a.yFloat)
    {
        linear_epilogue<bf16, float>(a);
    }
    else
    {
        linear_epilogue<bf16, bf16>(a);
    }
}
#endif
