// Log-probability of given codes under guidance and temperature, and its gradient: rows of the gathered positions only, streamed once.
//   forward   z = u + s(c - u) (c where s is 1); logProb = log softmax(z/τ)[token], confidence = log softmax(z)[token], entropy of
//             softmax(z/τ), logSumExp of z/τ; the same bits as guidedsample.cu for the same logits
//   backward  dc_v = g (s/τ)(1[v=token] - p_v), du_v = g ((1-s)/τ)(1[v=token] - p_v), p = softmax(z/τ), g = dL/dlogProb
//   c, u, dc, du [R,V] fp32 with row strides, dc may be c and du u; s, τ, g, outputs [R]
//   floor     forward 8·V bytes per row, backward 16·V (two rows read, two written)
// A block of eight warps owns a row and keeps z (backward: e^z) in shared memory, so that the row is read once. Chunks of 128 codes as in
// guidedrow.cuh, in a fixed order: the bits do not depend on the batch.
#include "guidedrow.cuh"

constexpr int LOGPROBGATHER_WARPS = 8;

struct LogProbGatherArguments
{
    const float* conditional;
    const float* unconditional;
    const float* guidance;
    const float* temperature;
    const int* tokens;
    float* logProb;
    float* confidence;
    float* entropy;
    float* logSumExp;
    int64 conditionalStride;
    int64 unconditionalStride;
    int codes;
};

struct LogProbGatherBackwardArguments
{
    const float* upstream;
    const float* conditional;
    const float* unconditional;
    const float* guidance;
    const float* temperature;
    const int* tokens;
    float* dconditional;
    float* dunconditional;
    int64 conditionalStride;
    int64 unconditionalStride;
    int64 dconditionalStride;
    int64 dunconditionalStride;
    int codes;
};

// Reads the row into z [chunks·128], -∞ beyond it, and the tops of its chunks; the block meets at the end.
__device__ __forceinline__ void logprobgather_load(const float* c, const float* u, float s, int codes, int chunks, float* z, float* tops)
{
    int lane = threadIdx.x % 32;
    for (int k = threadIdx.x / 32; k < chunks; k += LOGPROBGATHER_WARPS)
    {
        float x[4];
#pragma unroll
        for (int i = 0; i < 4; i++)
        {
            int v = k * GUIDED_CHUNK + 32 * i + lane;
            x[i] = v >= codes ? -INFINITY : u != nullptr && s != 1.0f ? guided_logit(c[v], u[v], s) : c[v];
            z[v] = x[i];
        }

        float top = guided_top(x);
        if (lane == 0)
        {
            tops[k] = top;
        }
    }

    __syncthreads();
}

__device__ __forceinline__ void logprobgather_read(const float* z, int chunk, float (&x)[4])
{
#pragma unroll
    for (int i = 0; i < 4; i++)
    {
        x[i] = z[chunk * GUIDED_CHUNK + 32 * i + threadIdx.x % 32];
    }
}

// exp sums of every chunk relative to its top; the block meets at the end.
__device__ __forceinline__ void logprobgather_sums(const float* z, const float* tops, int chunks, float inverse, float* sums)
{
    for (int k = threadIdx.x / 32; k < chunks; k += LOGPROBGATHER_WARPS)
    {
        float x[4];
        logprobgather_read(z, k, x);
        float sum = guided_exp_sum(x, tops[k], inverse);
        if (threadIdx.x % 32 == 0)
        {
            sums[k] = sum;
        }
    }

    __syncthreads();
}

extern "C" __global__ void __launch_bounds__(32 * LOGPROBGATHER_WARPS) logprobgather_forward(const LogProbGatherArguments a)
{
    extern __shared__ float z[];
    int chunks = (a.codes + GUIDED_CHUNK - 1) / GUIDED_CHUNK;
    float* tops = z + chunks * GUIDED_CHUNK;
    float* sums = tops + chunks;
    int row = blockIdx.x;
    const float* c = a.conditional + row * a.conditionalStride;
    const float* u = a.unconditional == nullptr ? nullptr : a.unconditional + row * a.unconditionalStride;
    logprobgather_load(c, u, u == nullptr ? 1.0f : a.guidance[row], a.codes, chunks, z, tops);
    float inverse = 1.0f / a.temperature[row];
    float max = guided_row_max(chunks, [&](int k) { return tops[k]; });
    logprobgather_sums(z, tops, chunks, inverse, sums);
    float logSum = guided_log_sum(chunks, max, inverse, [&](int k) { return tops[k]; }, [&](int k) { return sums[k]; });
    float chosen = z[a.tokens[row]];
    float logProb = guided_log_prob(chosen, max, inverse, logSum);
    if (threadIdx.x == 0)
    {
        a.logProb[row] = logProb;
        if (a.logSumExp != nullptr)
        {
            a.logSumExp[row] = __fmaf_rn(max, inverse, logSum);
        }
    }

    if (a.confidence != nullptr)
    {
        float confidence = logProb;
        if (inverse != 1.0f)
        {
            __syncthreads();
            logprobgather_sums(z, tops, chunks, 1.0f, sums);
            confidence = guided_log_prob(chosen, max, 1.0f, guided_log_sum(chunks, max, 1.0f, [&](int k) { return tops[k]; }, [&](int k) { return sums[k]; }));
        }

        if (threadIdx.x == 0)
        {
            a.confidence[row] = confidence;
        }
    }

    if (a.entropy != nullptr)
    {
        __syncthreads();
        for (int k = threadIdx.x / 32; k < chunks; k += LOGPROBGATHER_WARPS)
        {
            float x[4];
            logprobgather_read(z, k, x);
#pragma unroll
            for (int i = 0; i < 4; i++)
            {
                // Far below the maximum the probability is 0; the bound keeps 0·(-∞) of the padding from becoming NaN.
                float y = __fmul_rn(__fadd_rn(x[i], -max), inverse);
                y = y < -200.0f ? -200.0f : y;
                x[i] = __fmul_rn(exact_exp(__fadd_rn(y, -logSum)), y);
            }

            float sum = guided_sum(x);
            if (threadIdx.x % 32 == 0)
            {
                sums[k] = sum;
            }
        }

        __syncthreads();
        float entropy = __fadd_rn(logSum, -guided_row_sum(chunks, [&](int k) { return sums[k]; }));
        if (threadIdx.x == 0)
        {
            a.entropy[row] = entropy;
        }
    }
}

extern "C" __global__ void __launch_bounds__(32 * LOGPROBGATHER_WARPS) logprobgather_backward(const LogProbGatherBackwardArguments a)
{
    extern __shared__ float e[];
    int lane = threadIdx.x % 32;
    int chunks = (a.codes + GUIDED_CHUNK - 1) / GUIDED_CHUNK;
    float* tops = e + chunks * GUIDED_CHUNK;
    float* sums = tops + chunks;
    int row = blockIdx.x;
    const float* c = a.conditional + row * a.conditionalStride;
    const float* u = a.unconditional == nullptr ? nullptr : a.unconditional + row * a.unconditionalStride;
    float s = u == nullptr ? 1.0f : a.guidance[row];
    float inverse = 1.0f / a.temperature[row];
    int token = a.tokens[row];
    logprobgather_load(c, u, s, a.codes, chunks, e, tops);
    float max = guided_row_max(chunks, [&](int k) { return tops[k]; });
    float own = exact_exp(__fmul_rn(__fadd_rn(e[token], -max), inverse));
    __syncthreads();

    // 1 - p of the token as the mass of all others: no cancellation when the token is nearly certain.
    for (int k = threadIdx.x / 32; k < chunks; k += LOGPROBGATHER_WARPS)
    {
        float x[4];
        logprobgather_read(e, k, x);
#pragma unroll
        for (int i = 0; i < 4; i++)
        {
            int v = k * GUIDED_CHUNK + 32 * i + lane;
            x[i] = v == token ? 0.0f : exact_exp(__fmul_rn(__fadd_rn(x[i], -max), inverse));
            e[v] = x[i];
        }

        float sum = guided_sum(x);
        if (lane == 0)
        {
            sums[k] = sum;
        }
    }

    __syncthreads();
    float others = 0;
    for (int k = 0; k < chunks; k++)
    {
        others = __fadd_rn(others, sums[k]);
    }

    float perMass = __fmul_rn(a.upstream[row], inverse) / __fadd_rn(others, own);
    float scale = __fmul_rn(perMass, s);
    float free = __fmul_rn(perMass, __fadd_rn(1.0f, -s));
    float* dc = a.dconditional + row * a.dconditionalStride;
    float* du = a.dunconditional == nullptr ? nullptr : a.dunconditional + row * a.dunconditionalStride;
    for (int v = threadIdx.x; v < a.codes; v += 32 * LOGPROBGATHER_WARPS)
    {
        dc[v] = v == token ? __fmul_rn(others, scale) : __fmul_rn(e[v], -scale);
        if (du != nullptr)
        {
            du[v] = v == token ? __fmul_rn(others, free) : __fmul_rn(e[v], -free);
        }
    }
}
