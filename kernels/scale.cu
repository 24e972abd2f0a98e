// y := factor · x.
//   x, y   n elements of T, adjacent; y may be x
//   floor  2·n·sizeof(T) bytes, n multiplications
// One thread per 16 bytes.
#include "elements.cuh"

struct ScaleArguments
{
    const void* x;
    void* y;
    ElementGrid grid;
    float factor;
};

template <typename T>
struct Scaling
{
    const ScaleArguments& a;

    template <int N>
    __device__ __forceinline__ void at(int64, int64 column) const
    {
        float v[N];
        load_floats((const T*)a.x + column, v);
#pragma unroll
        for (int i = 0; i < N; i++)
        {
            v[i] *= a.factor;
        }

        store_floats((T*)a.y + column, v);
    }
};

extern "C" __global__ void __launch_bounds__(256) scale_f32(const ScaleArguments a)
{
    for_each_run<float>(a.grid, Scaling<float>{a});
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(256) scale_bf16(const ScaleArguments a)
{
    for_each_run<bf16>(a.grid, Scaling<bf16>{a});
}
#endif
