// One step of a learned schedule in fp64: raw = mean + exploration, smoothed deviation, links, clamps (ScheduleLink.Apply).
//   delta [B,4] fp32; exploration, means, raw, actions [B,4] fp64; state [B,5] fp64: r and four deviations; clampHits [B] int
//   r' = sigmoid(R + d) (times r in relative mode, 0 at the last step), τ = softplus(R + d), s = 1 + exp(R + d)
//   floor   nothing: B threads, a few exponentials each
#include "common.cuh"

struct ScheduleActionsArguments
{
    const float* delta;
    const double* exploration;
    double* state;
    double* means;
    double* raw;
    double* actions;
    int* clampHits;
    double residual[4];
    double smoothing;
    double minSampling;
    double maxSampling;
    double maxRemaskTemperature;
    double minGuidance;
    double maxGuidance;
    int images;
    int trained;
    int relative;
    int first;
    int last;
};

// ln(1+x) without the cancellation of the plain form: the rounding of 1+x is divided out again.
__device__ __forceinline__ double scheduleactions_log_one_plus(double x)
{
    double u = __dadd_rn(1.0, x);
    return u == 1.0 ? x : log(u) * x / (u - 1.0);
}

__device__ __forceinline__ double scheduleactions_softplus(double z)
{
    return fmax(z, 0.0) + scheduleactions_log_one_plus(exp(-fabs(z)));
}

extern "C" __global__ void __launch_bounds__(128) scheduleactions(const ScheduleActionsArguments a)
{
    int b = blockIdx.x * blockDim.x + threadIdx.x;
    if (b >= a.images)
    {
        return;
    }

    double z[4];
#pragma unroll
    for (int k = 0; k < 4; k++)
    {
        double mean = (a.trained >> k) & 1 ? (double)a.delta[4 * b + k] : 0.0;
        double raw = __dadd_rn(mean, a.exploration[4 * b + k]);
        a.means[4 * b + k] = mean;
        a.raw[4 * b + k] = raw;
        double deviation = a.first ? raw : __dadd_rn(__dmul_rn(a.smoothing, a.state[5 * b + 1 + k]), __dmul_rn(__dadd_rn(1.0, -a.smoothing), raw));
        a.state[5 * b + 1 + k] = deviation;
        z[k] = __dadd_rn(a.residual[k], deviation);
    }

    double remask = 1.0 / (1.0 + exp(-z[0]));
    remask = a.relative ? remask * a.state[5 * b] : remask;
    remask = a.last ? 0.0 : remask;
    double sampling = scheduleactions_softplus(z[1]);
    double temperature = scheduleactions_softplus(z[2]);
    double guidance = 1.0 + exp(z[3]);

    // Comparisons, not fmin and fmax: what is not a number stays so, and the host sees it.
    double usedSampling = sampling < a.minSampling ? a.minSampling : sampling > a.maxSampling ? a.maxSampling : sampling;
    double usedTemperature = temperature > a.maxRemaskTemperature ? a.maxRemaskTemperature : temperature;
    double usedGuidance = guidance < a.minGuidance ? a.minGuidance : guidance > a.maxGuidance ? a.maxGuidance : guidance;
    a.state[5 * b] = remask;
    a.actions[4 * b] = remask;
    a.actions[4 * b + 1] = usedSampling;
    a.actions[4 * b + 2] = usedTemperature;
    a.actions[4 * b + 3] = usedGuidance;
    a.clampHits[b] += usedSampling != sampling || usedTemperature != temperature || usedGuidance != guidance ? 1 : 0;
}
