// The clipped objective of decoded codes as the gradient of each row's log-probability, between logprobgather's two directions.
//   segment s (a trajectory's step) with rows [starts[s], starts[s+1]): Λ = Σ (logProb - old), ratio = e^Λ (1 without old),
//   J = min(ratio A, clip(ratio) A); upstream = -dJ/dΛ · w / normalizer + β (w / normalizer)(1 - e^(ref - logProb))
//   logProb, old, ref, upstream [R] fp32; A, w [S] fp64; fp64 inside
//   floor   4 to 12 bytes read and 4 written per row
// A block per segment: the sum over its rows by threads in strides, then as a tree, hence in a fixed order.
#include "common.cuh"

constexpr int CLIPPEDOBJECTIVE_THREADS = 128;

struct ClippedObjectiveArguments
{
    const float* logProb;
    const float* oldLogProb;
    const float* referenceLogProb;
    const int* starts;
    const double* advantages;
    const double* weights;
    float* upstream;
    double low;
    double high;
    double cap;
    double logRatioClamp;
    double normalizer;
    double klWeight;
};

extern "C" __global__ void __launch_bounds__(CLIPPEDOBJECTIVE_THREADS) clippedobjective(const ClippedObjectiveArguments a)
{
    __shared__ double scratch[CLIPPEDOBJECTIVE_THREADS / 32];
    int first = a.starts[blockIdx.x];
    int end = a.starts[blockIdx.x + 1];
    double logRatio = 0;
    if (a.oldLogProb != nullptr)
    {
        for (int r = first + threadIdx.x; r < end; r += CLIPPEDOBJECTIVE_THREADS)
        {
            logRatio += (double)a.logProb[r] - (double)a.oldLogProb[r];
        }

#pragma unroll
        for (int offset = 16; offset > 0; offset >>= 1)
        {
            logRatio += __shfl_xor_sync(WHOLE_WARP, logRatio, offset);
        }

        if (threadIdx.x % 32 == 0)
        {
            scratch[threadIdx.x / 32] = logRatio;
        }

        __syncthreads();
        logRatio = 0;
#pragma unroll
        for (int i = 0; i < CLIPPEDOBJECTIVE_THREADS / 32; i++)
        {
            logRatio += scratch[i];
        }
    }

    // ClippedSurrogate.Value.
    double advantage = a.advantages[blockIdx.x];
    double weight = a.weights[blockIdx.x];
    double ratio = exp(fmin(fmax(logRatio, -a.logRatioClamp), a.logRatioClamp));
    double capped = advantage < 0 ? fmin(ratio, a.cap) : ratio;
    double free = __dmul_rn(capped, advantage);
    double bounded = __dmul_rn(fmin(fmax(ratio, a.low), a.high), advantage);
    bool flat = bounded < free || capped != ratio || fabs(logRatio) > a.logRatioClamp;
    double policy = __dmul_rn(flat ? -0.0 : -free, weight) / a.normalizer;
    for (int r = first + threadIdx.x; r < end; r += CLIPPEDOBJECTIVE_THREADS)
    {
        double gradient = policy;
        if (a.klWeight > 0)
        {
            double d = (double)a.referenceLogProb[r] - (double)a.logProb[r];
            gradient += fabs(d) <= a.logRatioClamp ? a.klWeight * weight / a.normalizer * (1.0 - exp(d)) : 0.0;
        }

        a.upstream[r] = (float)gradient;
    }
}
