// y := a + b, or y := y + a + b; without b y := y + a.
//   a, b, y  [M,C] of T with row strides; y may be a or b
//   floor    3·M·C·sizeof(T) bytes (4 when y is added to, 3 of those without b) and as many additions as there are '+' above
// One thread per 16 bytes of y.
#include "elements.cuh"

struct AddArguments
{
    const void* a;
    const void* b;
    void* y;
    int64 aStride;
    int64 bStride;
    int64 yStride;
    ElementGrid grid;
    int accumulate;
};

template <typename T>
struct Addition
{
    const AddArguments& p;

    template <int N>
    __device__ __forceinline__ void at(int64 row, int64 column) const
    {
        T* y = (T*)p.y + row * p.yStride + column;
        float sum[N], v[N];
        load_floats((const T*)p.a + row * p.aStride + column, sum);
        if (p.accumulate)
        {
            load_floats(y, v);
#pragma unroll
            for (int i = 0; i < N; i++)
            {
                sum[i] = v[i] + sum[i];
            }
        }

        if (p.b != nullptr)
        {
            load_floats((const T*)p.b + row * p.bStride + column, v);
#pragma unroll
            for (int i = 0; i < N; i++)
            {
                sum[i] += v[i];
            }
        }

        store_floats(y, sum);
    }
};

extern "C" __global__ void __launch_bounds__(256) add_f32(const AddArguments a)
{
    for_each_run<float>(a.grid, Addition<float>{a});
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(256) add_bf16(const AddArguments a)
{
    for_each_run<bf16>(a.grid, Addition<bf16>{a});
}
#endif
