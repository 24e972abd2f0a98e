// Sinusoidal features of numbers: y[m] = [cos(v f_0..f_n-1), sin(v f_0..f_n-1)] for v = values[m].
//   values [M], frequencies [n] fp32; y [M,2n] of T with row stride
//   floor  4·M + 4·n + 2·M·n·sizeof(T) bytes, some 40 operations per angle
// A thread owns a frequency and up to 128 numbers, of which its warp reads 32 at once. The product v f is rounded to fp32, as the networks
// were trained with; of that number cosine and sine are right to the last bit or two whatever its size, as the reduction is exact: the
// part of 2/π that matters for the exponent at hand, times the mantissa, in integers.
#include "common.cuh"

constexpr int SINUSOID_ROWS = 128;

struct SinusoidArguments
{
    const float* values;
    const float* frequencies;
    void* y;
    int64 yStride;
    int rows;
    int count;
};

// A word of zeros, then 2/π in binary.
__constant__ uint32 TWO_OVER_PI[8] = {0, 0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab};

// angle = quarter · π/2 + r with |r| <= π/4; returns r, the sign of the angle left out.
__device__ __forceinline__ float sinusoid_reduce(float angle, int& quarter)
{
    uint32 bits = __float_as_uint(angle);
    int exponent = (int)(bits >> 23 & 0xff) - 150;
    if (exponent < -30)
    {
        // Below 2^-6.
        quarter = 0;
        return fabsf(angle);
    }

    // |angle| = mantissa 2^exponent. 96 bits of 2/π 2^exponent from weight 2 on: what is above is a multiple of 4 quarters.
    uint32 mantissa = (bits & 0x7fffff) | 0x800000;
    int first = exponent + 30;
    const uint32* words = TWO_OVER_PI + first / 32;
    int shift = first % 32;
    uint32 p0 = __funnelshift_l(words[1], words[0], shift);
    uint32 p1 = __funnelshift_l(words[2], words[1], shift);
    uint32 p2 = __funnelshift_l(words[3], words[2], shift);
    uint64 low = (uint64)mantissa * p2;
    uint64 middle = (uint64)mantissa * p1 + (low >> 32);
    uint32 high = mantissa * p0 + (uint32)(middle >> 32);

    // Two bits of quarters and 64 of a fraction that, read as a signed number, is the distance to the nearest quarter.
    uint64 fraction = (uint64)high << 34 | (middle & 0xffffffff) << 2 | (uint32)low >> 30;
    quarter = (int)(high >> 30) + (int)(fraction >> 63);
    return __ll2float_rn((int64)fraction) * 8.5153039502163873e-20f;
}

template <typename T>
__device__ __forceinline__ void sinusoid(const SinusoidArguments& a)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    int first = blockIdx.y * SINUSOID_ROWS, last = min(first + SINUSOID_ROWS, a.rows), lane = threadIdx.x % 32;
    float frequency = i < a.count ? a.frequencies[i] : 0, value = 0;
    for (int row = first; row < last; row++)
    {
        if (row % 32 == 0)
        {
            value = row + lane < last ? a.values[row + lane] : 0;
        }

        float angle = __shfl_sync(WHOLE_WARP, value, row % 32) * frequency;
        if (i >= a.count)
        {
            continue;
        }

        int quarter;
        float r = sinusoid_reduce(angle, quarter);
        float square = r * r;
        float sine = fmaf(r * square, fmaf(square, fmaf(square, fmaf(square, 1.0f / 362880, -1.0f / 5040), 1.0f / 120), -1.0f / 6), r);
        float cosine = fmaf(square, fmaf(square, fmaf(square, fmaf(square, fmaf(square, -1.0f / 3628800, 1.0f / 40320), -1.0f / 720), 1.0f / 24), -0.5f), 1.0f);
        float c = quarter & 1 ? sine : cosine;
        float s = quarter & 1 ? cosine : sine;
        c = (quarter + 1) & 2 ? -c : c;
        s = quarter & 2 ? -s : s;
        s = angle < 0 ? -s : s;
        bool finite = fabsf(angle) <= 3.402823466e+38f;
        T* y = (T*)a.y + row * a.yStride;
        y[i] = from_float<T>(finite ? c : angle - angle);
        y[a.count + i] = from_float<T>(finite ? s : angle - angle);
    }
}

extern "C" __global__ void __launch_bounds__(128) sinusoid_f32(const SinusoidArguments a)
{
    sinusoid<float>(a);
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(128) sinusoid_bf16(const SinusoidArguments a)
{
    sinusoid<bf16>(a);
}
#endif
