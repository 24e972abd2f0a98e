// Pointwise functions and their derivatives: none, silu, gelu (tanh form), gelu (erf form), gelu (sigmoid form).
//   forward   y := f(x)
//   backward  dx := dy · f'(x), or dx += dy · f'(x)
//   x, y, dy, dx  [M,C] of T with row strides; y may be x, dx may be dy
//   saved     x
//   floor     forward 2·M·C·sizeof(T) bytes and some 20·M·C operations; backward 3·M·C·sizeof(T) (4 when accumulating) and some 30·M·C
// One thread per 16 bytes.
#include "activation.cuh"
#include "elements.cuh"

struct ActivateArguments
{
    const void* x;
    void* y;
    int64 xStride;
    int64 yStride;
    ElementGrid grid;
    int activation;
};

struct ActivateBackwardArguments
{
    const void* dy;
    const void* x;
    void* dx;
    int64 dyStride;
    int64 xStride;
    int64 dxStride;
    ElementGrid grid;
    int activation;
    int accumulate;
};

// s + x s (1 - s) slope for s = 1 / (1 + e^-z): 1 - s is taken as s e^-z, which keeps its digits where s is close to 1.
__device__ __forceinline__ float sigmoid_product_slope(float x, float z, float slope)
{
    float e = expf(-z);
    float s = __fdividef(1.0f, 1.0f + e);
    return fmaf(x * slope * s, e * s, s);
}

// x is bounded where the derivative is 0 or 1 to the last bit, so that infinity times zero cannot come up.
__device__ __forceinline__ float activation_derivative(float x, int activation)
{
    switch (activation)
    {
        case ACTIVATION_SILU:
            x = fminf(fmaxf(x, -88.0f), 88.0f);
            return sigmoid_product_slope(x, x, 1.0f);
        case ACTIVATION_GELU_TANH:
        {
            x = fminf(fmaxf(x, -10.0f), 10.0f);
            float twice_u = x * fmaf(x * x, 0.0713548162726f, 1.5957691216057308f);
            return sigmoid_product_slope(x, twice_u, fmaf(x * x, 0.2140644488178f, 1.5957691216057308f));
        }
        case ACTIVATION_GELU_ERF:
        {
            x = fminf(fmaxf(x, -20.0f), 20.0f);
            float density = 0.3989422804014327f * expf(x * x * -0.5f);
            return fmaf(x, density, fmaf(0.5f, erff(x * 0.7071067811865476f), 0.5f));
        }
        case ACTIVATION_GELU_QUICK:
            x = fminf(fmaxf(x, -50.0f), 50.0f);
            return sigmoid_product_slope(x, 1.702f * x, 1.702f);
        default:
            return 1.0f;
    }
}

// The function is known where the loop over elements stands, so that there is one branch per run of them.
template <int ACTIVATION, typename T>
struct Value
{
    const ActivateArguments& a;

    template <int N>
    __device__ __forceinline__ void at(int64 row, int64 column) const
    {
        float v[N];
        load_floats((const T*)a.x + row * a.xStride + column, v);
#pragma unroll
        for (int i = 0; i < N; i++)
        {
            v[i] = activation_value(v[i], ACTIVATION);
        }

        store_floats((T*)a.y + row * a.yStride + column, v);
    }
};

template <int ACTIVATION, typename T>
struct Gradient
{
    const ActivateBackwardArguments& a;

    template <int N>
    __device__ __forceinline__ void at(int64 row, int64 column) const
    {
        T* dx = (T*)a.dx + row * a.dxStride + column;
        float x[N], d[N];
        load_floats((const T*)a.x + row * a.xStride + column, x);
        load_floats((const T*)a.dy + row * a.dyStride + column, d);
#pragma unroll
        for (int i = 0; i < N; i++)
        {
            d[i] *= activation_derivative(x[i], ACTIVATION);
        }

        if (a.accumulate)
        {
            load_floats(dx, x);
#pragma unroll
            for (int i = 0; i < N; i++)
            {
                d[i] += x[i];
            }
        }

        store_floats(dx, d);
    }
};

template <typename T>
__device__ __forceinline__ void activate_forward(const ActivateArguments& a)
{
    switch (a.activation)
    {
        case ACTIVATION_SILU:
            for_each_run<T>(a.grid, Value<ACTIVATION_SILU, T>{a});
            break;
        case ACTIVATION_GELU_TANH:
            for_each_run<T>(a.grid, Value<ACTIVATION_GELU_TANH, T>{a});
            break;
        case ACTIVATION_GELU_ERF:
            for_each_run<T>(a.grid, Value<ACTIVATION_GELU_ERF, T>{a});
            break;
        case ACTIVATION_GELU_QUICK:
            for_each_run<T>(a.grid, Value<ACTIVATION_GELU_QUICK, T>{a});
            break;
        default:
            for_each_run<T>(a.grid, Value<ACTIVATION_NONE, T>{a});
            break;
    }
}

template <typename T>
__device__ __forceinline__ void activate_backward(const ActivateBackwardArguments& a)
{
    switch (a.activation)
    {
        case ACTIVATION_SILU:
            for_each_run<T>(a.grid, Gradient<ACTIVATION_SILU, T>{a});
            break;
        case ACTIVATION_GELU_TANH:
            for_each_run<T>(a.grid, Gradient<ACTIVATION_GELU_TANH, T>{a});
            break;
        case ACTIVATION_GELU_ERF:
            for_each_run<T>(a.grid, Gradient<ACTIVATION_GELU_ERF, T>{a});
            break;
        case ACTIVATION_GELU_QUICK:
            for_each_run<T>(a.grid, Gradient<ACTIVATION_GELU_QUICK, T>{a});
            break;
        default:
            for_each_run<T>(a.grid, Gradient<ACTIVATION_NONE, T>{a});
            break;
    }
}

extern "C" __global__ void __launch_bounds__(256, 1) activate_forward_f32(const ActivateArguments a)
{
    activate_forward<float>(a);
}

extern "C" __global__ void __launch_bounds__(256, 1) activate_backward_f32(const ActivateBackwardArguments a)
{
    activate_backward<float>(a);
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(256, 1) activate_forward_bf16(const ActivateArguments a)
{
    activate_forward<bf16>(a);
}

extern "C" __global__ void __launch_bounds__(256, 1) activate_backward_bf16(const ActivateBackwardArguments a)
{
    activate_backward<bf16>(a);
}
#endif
