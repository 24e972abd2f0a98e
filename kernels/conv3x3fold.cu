// The weights of a 3x3 convolution of a map enlarged twice, for the outputs of each parity of row and column: taps that fall on the same pixel of the
// map are added in fp32, and the sum is rounded to T. Of three taps in a direction an even output sees pixels -1, 0, 0 from its own and an odd
// one 0, 0, 1.
//   weight [O,3,3,C], folded [4,O,2,2,C] of T, parity of the row first
//   floor     25·O·C·sizeof(T) bytes, 27·O·C additions
// A thread owns a run of channels of an output and has its nine taps in registers.
#include "common.cuh"

struct Conv3x3FoldArguments
{
    const void* weight;
    void* folded;
    int outputs;
    int channels;
    int vectors;
};

// Taps that fall on pixel `place` of the two that outputs of a parity see in a direction.
__device__ __forceinline__ bool falls_on(int tap, int place, int parity)
{
    return place == 0 ? tap <= parity : tap > parity;
}

template <typename T, int N>
__device__ __forceinline__ void conv3x3fold(const Conv3x3FoldArguments& a)
{
    int runs = a.channels / N;
    int64 item = (int64)blockIdx.x * blockDim.x + threadIdx.x;
    if (item >= (int64)a.outputs * runs)
    {
        return;
    }

    int64 o = item / runs, c = (item - o * runs) * N;
    float w[9][N];
#pragma unroll
    for (int tap = 0; tap < 9; tap++)
    {
        load_floats((const T*)a.weight + (o * 9 + tap) * a.channels + c, w[tap]);
    }

#pragma unroll
    for (int phase = 0; phase < 4; phase++)
    {
#pragma unroll
        for (int place = 0; place < 4; place++)
        {
            float sum[N] = {};
#pragma unroll
            for (int tap = 0; tap < 9; tap++)
            {
                if (falls_on(tap / 3, place / 2, phase / 2) && falls_on(tap % 3, place % 2, phase % 2))
                {
#pragma unroll
                    for (int e = 0; e < N; e++)
                    {
                        sum[e] += w[tap][e];
                    }
                }
            }

            store_floats((T*)a.folded + ((phase * (int64)a.outputs + o) * 4 + place) * a.channels + c, sum);
        }
    }
}

extern "C" __global__ void __launch_bounds__(256) conv3x3fold_f32(const Conv3x3FoldArguments a)
{
    a.vectors ? conv3x3fold<float, 4>(a) : conv3x3fold<float, 1>(a);
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(256) conv3x3fold_bf16(const Conv3x3FoldArguments a)
{
    a.vectors ? conv3x3fold<bf16, 8>(a) : conv3x3fold<bf16, 1>(a);
}
#endif
