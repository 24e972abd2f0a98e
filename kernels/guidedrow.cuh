// The arithmetic of one row of guided logits, the same bits as the CPU backend's GuidedRow.cs and the same whatever kernel does it. A row
// is taken in chunks of 128 codes, each by one warp: maximum, sums and draw of the chunk first, then those of the row.
//   z = u + s(c - u), or c where s is 1;  exponents are (z - max)/τ, the difference formed first
// Two orders of the 128 values of a chunk occur: «strided», value i of lane l is code 32 i + l, for loads and sums; «quads», value i of
// lane l is code 4 l + i, for the noise, of which a Philox block gives four codes.
#pragma once

#include "philox.cuh"

constexpr int GUIDED_CHUNK = 128;
constexpr int GUIDED_MOST_CHUNKS = 512;

struct GuidedChunk
{
    float top;   // largest z
    float warm;  // Σ exp((z - top)/τ)
    float plain; // Σ exp(z - top)
    float z;     // logit of the drawn code
    float noise; // its Gumbel noise
    int code;    // the drawn code
};

// How a row is guided and drawn.
struct GuidedDraw
{
    float inverse; // 1/τ
    uint64 key;
    uint32 position;
    uint32 step;
    uint32 trajectory;
};

__device__ __forceinline__ float guided_logit(float c, float u, float s)
{
    return __fmaf_rn(s, __fadd_rn(c, -u), u);
}

// Sum of the 128 values of a chunk, strided, as a tree; the same bits in every lane.
__device__ __forceinline__ float guided_sum(const float (&x)[4])
{
    float sum = __fadd_rn(__fadd_rn(x[0], x[1]), __fadd_rn(x[2], x[3]));
#pragma unroll
    for (int offset = 16; offset > 0; offset >>= 1)
    {
        sum = __fadd_rn(sum, __shfl_xor_sync(WHOLE_WARP, sum, offset));
    }

    return sum;
}

__device__ __forceinline__ float guided_top(const float (&z)[4])
{
    return warp_max(fmaxf(fmaxf(z[0], z[1]), fmaxf(z[2], z[3])));
}

// Σ exp((z - top)·inverse) over a chunk, strided.
__device__ __forceinline__ float guided_exp_sum(const float (&z)[4], float top, float inverse)
{
    float e[4];
#pragma unroll
    for (int i = 0; i < 4; i++)
    {
        e[i] = exact_exp(__fmul_rn(__fadd_rn(z[i], -top), inverse));
    }

    return guided_sum(e);
}

// The code of largest (z - top)/τ + Gumbel in a chunk; the lower one of equal ones. z as quads.
__device__ __forceinline__ void guided_draw(const float (&z)[4], int chunk, const GuidedDraw& draw, GuidedChunk& result)
{
    int lane = threadIdx.x % 32;
    int first = chunk * GUIDED_CHUNK + 4 * lane;
    PhiloxBlock block = philox(draw.key, (uint32)first / 4, draw.position, draw.step, draw.trajectory);
    float best = -INFINITY;
    result.code = first;
    result.z = z[0];
    result.noise = 0;
#pragma unroll
    for (int i = 0; i < 4; i++)
    {
        float noise = philox_gumbel(block.word[i]);
        float score = __fadd_rn(__fmul_rn(__fadd_rn(z[i], -result.top), draw.inverse), noise);
        if (score > best)
        {
            best = score;
            result.code = first + i;
            result.z = z[i];
            result.noise = noise;
        }
    }

#pragma unroll
    for (int offset = 16; offset > 0; offset >>= 1)
    {
        float score = __shfl_xor_sync(WHOLE_WARP, best, offset);
        int code = __shfl_xor_sync(WHOLE_WARP, result.code, offset);
        float other = __shfl_xor_sync(WHOLE_WARP, result.z, offset);
        float noise = __shfl_xor_sync(WHOLE_WARP, result.noise, offset);
        if (score > best || (score == best && code < result.code))
        {
            best = score;
            result.code = code;
            result.z = other;
            result.noise = noise;
        }
    }
}

// Everything about one chunk. z strided, -∞ beyond the row; quads is room for 128 floats of this warp alone.
__device__ __forceinline__ GuidedChunk guided_chunk(const float (&z)[4], int chunk, const GuidedDraw& draw, float* quads)
{
    int lane = threadIdx.x % 32;
    GuidedChunk result;
    result.top = guided_top(z);
    result.warm = guided_exp_sum(z, result.top, draw.inverse);
    result.plain = draw.inverse == 1.0f ? result.warm : guided_exp_sum(z, result.top, 1.0f);
#pragma unroll
    for (int i = 0; i < 4; i++)
    {
        quads[32 * i + lane] = z[i];
    }

    __syncwarp();
    float turned[4];
    load_floats(quads + 4 * lane, turned);
    __syncwarp();
    guided_draw(turned, chunk, draw, result);
    return result;
}

// Sum of a run in shared or global memory: each 128 elements as a tree, the trees in order; by one warp, the same bits in every lane.
template <typename Element>
__device__ __forceinline__ float guided_row_sum(int count, Element element)
{
    int lane = threadIdx.x % 32;
    float sum = 0;
    for (int first = 0; first < count; first += GUIDED_CHUNK)
    {
        float x[4];
#pragma unroll
        for (int i = 0; i < 4; i++)
        {
            int at = first + 32 * i + lane;
            x[i] = at < count ? element(at) : 0.0f;
        }

        sum = __fadd_rn(sum, guided_sum(x));
    }

    return sum;
}

// Largest top of a row's chunks; by one warp.
template <typename Element>
__device__ __forceinline__ float guided_row_max(int chunks, Element top)
{
    float max = -INFINITY;
    for (int k = threadIdx.x % 32; k < chunks; k += 32)
    {
        max = fmaxf(max, top(k));
    }

    return warp_max(max);
}

// log Σ exp((z - max)/τ) from the chunks' sums, each relative to its own top. A chunk of nothing but -∞ has no share.
template <typename Top, typename Sum>
__device__ __forceinline__ float guided_log_sum(int chunks, float max, float inverse, Top top, Sum sum)
{
    return exact_log(guided_row_sum(chunks, [&](int k) {
        float t = top(k);
        float share = exact_exp(__fmul_rn(__fadd_rn(t, -max), inverse));
        return t == -INFINITY ? 0.0f : __fmul_rn(sum(k), share);
    }));
}

// log softmax(z/τ) of a code.
__device__ __forceinline__ float guided_log_prob(float z, float max, float inverse, float log_sum)
{
    return __fadd_rn(__fmul_rn(__fadd_rn(z, -max), inverse), -log_sum);
}

// Where the rows of a draw lie and where its results go: the fields that guidedsample.cu and headsample.cu share.
struct GuidedPlaces
{
    const int* rows;
    const int* live;
    const int* conditionalAt;
    const int* unconditionalAt;
    const double* actions;
    const int* trajectories;
    const uint64* key;
    int* tokens;
    float* logProb;
    float* confidence;
    int count;
    int positions;
    int step;
};

__device__ __forceinline__ GuidedDraw guided_draw_of(const GuidedPlaces& p, int place)
{
    int image = place / p.positions;
    return GuidedDraw{1.0f / (float)p.actions[4 * image + 1], *p.key, (uint32)(place % p.positions), (uint32)p.step, (uint32)p.trajectories[image]};
}

__device__ __forceinline__ float guided_scale_of(const GuidedPlaces& p, int place)
{
    return (float)p.actions[4 * (place / p.positions) + 3];
}

// Draw and log-probabilities of the row from its chunks; by one warp. chunk(k) gives chunk k of the row.
template <typename Chunk>
__device__ __forceinline__ void guided_finish(const GuidedPlaces& p, int place, float inverse, int chunks, Chunk chunk)
{
    int lane = threadIdx.x % 32;
    float max = guided_row_max(chunks, [&](int k) { return chunk(k).top; });
    float best = -INFINITY;
    int code = 0;
    float z = 0;
    for (int k = lane; k < chunks; k += 32)
    {
        const GuidedChunk& candidate = chunk(k);
        float score = __fadd_rn(__fmul_rn(__fadd_rn(candidate.z, -max), inverse), candidate.noise);
        if (score > best)
        {
            best = score;
            code = candidate.code;
            z = candidate.z;
        }
    }

#pragma unroll
    for (int offset = 16; offset > 0; offset >>= 1)
    {
        float score = __shfl_xor_sync(WHOLE_WARP, best, offset);
        int other = __shfl_xor_sync(WHOLE_WARP, code, offset);
        float logit = __shfl_xor_sync(WHOLE_WARP, z, offset);
        if (score > best || (score == best && other < code))
        {
            best = score;
            code = other;
            z = logit;
        }
    }

    // At temperature 1 both laws multiply by exactly 1: the same operations give the same bits.
    float warm = guided_log_sum(chunks, max, inverse, [&](int k) { return chunk(k).top; }, [&](int k) { return chunk(k).warm; });
    float plain = guided_log_sum(chunks, max, 1.0f, [&](int k) { return chunk(k).top; }, [&](int k) { return chunk(k).plain; });
    if (lane == 0)
    {
        p.tokens[place] = code;
        p.logProb[place] = guided_log_prob(z, max, inverse, warm);
        p.confidence[place] = guided_log_prob(z, max, 1.0f, plain);
    }
}
