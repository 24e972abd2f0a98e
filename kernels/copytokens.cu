// y[b, yFirst + i] := x[b, xFirst + i] for i in [0,count), or added: concatenation of token sequences, its split, and the gradients of both.
//   x [B,XS,C], y [B,YS,C] of T with row strides; x and y point at the first token
//   floor  2·B·count·C·sizeof(T) bytes, or 3 when adding
// Row r of the grid is token r % count of image r / count. Where rows are adjacent the tokens of an image are one long row.
#include "elements.cuh"

struct CopyTokensArguments
{
    const void* x;
    void* y;
    int64 xStride;
    int64 yStride;
    int64 xTokens;
    int64 yTokens;
    ElementGrid grid;
    int count;
    int accumulate;
};

template <typename T>
struct TokenCopy
{
    const CopyTokensArguments& a;

    template <int N>
    __device__ __forceinline__ void at(int64 row, int64 column) const
    {
        int image = (int)row / a.count;
        int token = (int)row % a.count;
        T* y = (T*)a.y + (image * a.yTokens + token) * a.yStride + column;
        float v[N], old[N];
        load_floats((const T*)a.x + (image * a.xTokens + token) * a.xStride + column, v);
        if (a.accumulate)
        {
            load_floats(y, old);
#pragma unroll
            for (int i = 0; i < N; i++)
            {
                v[i] += old[i];
            }
        }

        store_floats(y, v);
    }
};

extern "C" __global__ void __launch_bounds__(256) copytokens_f32(const CopyTokensArguments a)
{
    for_each_run<float>(a.grid, TokenCopy<float>{a});
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(256) copytokens_bf16(const CopyTokensArguments a)
{
    for_each_run<bf16>(a.grid, TokenCopy<bf16>{a});
}
#endif
