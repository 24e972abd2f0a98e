// One optimizer step on a run of n parameters, with everything that belongs to it in one pass.
//   g = gradient · min(1, clip / (sqrt(squaredNorm) + 1e-6)); p ← p·keep; m ← m + first (g - m); v ← v·beta2 + (second g) g;
//   p ← p + stepSize · m / (sqrt(v)/rootCorrection + eps); compute := p; average := d·average + (1-d)·p; gradient := 0
//   nothing but gradient := 0 when squaredNorm is not finite. All fp32 but compute (bf16 or fp32).
//   floor   32·n bytes (p, g, m, v read and written), + 2·n for the copy, + 8·n for the average; about 15·n operations
// Four elements a thread. Element by element, so that the order of nothing matters; the same roundings as the CPU backend.
#include "common.cuh"

struct AdamWArguments
{
    float* parameter;
    float* gradient;
    float* firstMoment;
    float* secondMoment;
    const uint8* decays;
    const double* squaredNorm;
    void* compute;
    float* average;
    int64 count;
    double clipNorm;
    float keep;
    float first;
    float beta2;
    float second;
    float rootCorrection;
    float epsilon;
    float stepSize;
    float averageDecay;
};

constexpr int ADAMW_ELEMENTS = 4;

// Elements i.. of a run, zeros beyond its end.
__device__ __forceinline__ void adamw_load(const float* p, int64 i, int left, float (&x)[ADAMW_ELEMENTS])
{
    if (left >= ADAMW_ELEMENTS)
    {
        load_floats(p + i, x);
        return;
    }

#pragma unroll
    for (int k = 0; k < ADAMW_ELEMENTS; k++)
    {
        x[k] = k < left ? p[i + k] : 0.0f;
    }
}

template <typename T>
__device__ __forceinline__ void adamw_store(T* p, int64 i, int left, const float (&x)[ADAMW_ELEMENTS])
{
    if (left >= ADAMW_ELEMENTS)
    {
        store_floats(p + i, x);
        return;
    }

#pragma unroll
    for (int k = 0; k < ADAMW_ELEMENTS; k++)
    {
        if (k < left)
        {
            p[i + k] = from_float<T>(x[k]);
        }
    }
}

template <typename T>
__device__ __forceinline__ void adamw(const AdamWArguments& a)
{
    double norm = sqrt(*a.squaredNorm);
    int64 i = ADAMW_ELEMENTS * ((int64)blockIdx.x * blockDim.x + threadIdx.x);
    if (i >= a.count)
    {
        return;
    }

    int left = (int)min(a.count - i, (int64)ADAMW_ELEMENTS);
    float g[ADAMW_ELEMENTS];
    adamw_load(a.gradient, i, left, g);
    float zero[ADAMW_ELEMENTS] = {};
    adamw_store(a.gradient, i, left, zero);

    // False for a NaN too.
    if (!(norm <= 1.7976931348623157e308))
    {
        return;
    }

    float scale = a.clipNorm > 0 ? (float)fmin(1.0, a.clipNorm / (norm + 1e-6)) : 1.0f;
    float keep = a.decays == nullptr || a.decays[i / 64] != 0 ? a.keep : 1.0f;
    float p[ADAMW_ELEMENTS], m[ADAMW_ELEMENTS], v[ADAMW_ELEMENTS];
    adamw_load(a.parameter, i, left, p);
    adamw_load(a.firstMoment, i, left, m);
    adamw_load(a.secondMoment, i, left, v);
#pragma unroll
    for (int k = 0; k < ADAMW_ELEMENTS; k++)
    {
        float x = __fmul_rn(g[k], scale);
        m[k] = __fmaf_rn(a.first, __fadd_rn(x, -m[k]), m[k]);
        v[k] = __fmaf_rn(__fmul_rn(a.second, x), x, __fmul_rn(v[k], a.beta2));
        float denominator = __fadd_rn(__fdiv_rn(__fsqrt_rn(v[k]), a.rootCorrection), a.epsilon);
        p[k] = __fmaf_rn(a.stepSize, __fdiv_rn(m[k], denominator), __fmul_rn(p[k], keep));
    }

    adamw_store(a.parameter, i, left, p);
    adamw_store(a.firstMoment, i, left, m);
    adamw_store(a.secondMoment, i, left, v);
    if (a.compute != nullptr)
    {
        adamw_store((T*)a.compute, i, left, p);
    }

    if (a.average != nullptr)
    {
        float average[ADAMW_ELEMENTS];
        adamw_load(a.average, i, left, average);
#pragma unroll
        for (int k = 0; k < ADAMW_ELEMENTS; k++)
        {
            average[k] = __fmaf_rn(__fadd_rn(1.0f, -a.averageDecay), p[k], __fmul_rn(average[k], a.averageDecay));
        }

        adamw_store(a.average, i, left, average);
    }
}

extern "C" __global__ void __launch_bounds__(256) adamw_f32(const AdamWArguments a)
{
    adamw<float>(a);
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(256) adamw_bf16(const AdamWArguments a)
{
    adamw<bf16>(a);
}
#endif
