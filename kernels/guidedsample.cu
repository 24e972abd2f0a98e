// Draw of codes from guided logits, one pass over the conditional and the unconditional row.
//   z = u + s(c - u) (c where s is 1), token ~ softmax(z/τ) by the largest z/τ + Gumbel, logProb = log softmax(z/τ)[token],
//   confidence = log softmax(z)[token]
//   c, u [.,V] fp32 with row strides; actions [B,4] fp64; tokens, logProb, confidence [B,N]; s and τ of each row from device memory
//   floor  8·V bytes and about 150·V operations per row (two exponentials, two logarithms, a Philox block per four codes)
// A block of eight warps owns a row; warp w takes chunks w, w + 8, ... of 128 codes as they come (online: what a chunk leaves is six
// numbers), warp 0 puts the chunks together. Nothing but the row's own values and address enters: any batch gives the same bits.
#include "guidedrow.cuh"

constexpr int GUIDEDSAMPLE_WARPS = 8;

struct GuidedSampleArguments
{
    GuidedPlaces places;
    const float* conditional;
    const float* unconditional;
    int64 conditionalStride;
    int64 unconditionalStride;
    int codes;
};

extern "C" __global__ void __launch_bounds__(32 * GUIDEDSAMPLE_WARPS) guidedsample(const GuidedSampleArguments a)
{
    __shared__ GuidedChunk chunks[GUIDED_MOST_CHUNKS];
    __shared__ __align__(16) float quads[GUIDEDSAMPLE_WARPS][GUIDED_CHUNK];
    int lane = threadIdx.x % 32;
    int warp = threadIdx.x / 32;
    int row = blockIdx.x;
    if (row >= live_rows(a.places.live, a.places.count))
    {
        return;
    }

    int place = a.places.rows[row];
    const float* c = a.conditional + a.conditionalStride * (a.places.conditionalAt == nullptr ? row : a.places.conditionalAt[place]);
    const float* u = a.unconditional == nullptr ? nullptr : a.unconditional + a.unconditionalStride * (a.places.unconditionalAt == nullptr ? row : a.places.unconditionalAt[place]);
    float s = guided_scale_of(a.places, place);
    bool guided = u != nullptr && s != 1.0f;
    GuidedDraw draw = guided_draw_of(a.places, place);
    int count = (a.codes + GUIDED_CHUNK - 1) / GUIDED_CHUNK;
    for (int k = warp; k < count; k += GUIDEDSAMPLE_WARPS)
    {
        float z[4];
#pragma unroll
        for (int i = 0; i < 4; i++)
        {
            int v = k * GUIDED_CHUNK + 32 * i + lane;
            z[i] = v >= a.codes ? -INFINITY : guided ? guided_logit(c[v], u[v], s) : c[v];
        }

        GuidedChunk result = guided_chunk(z, k, draw, quads[warp]);
        if (lane == 0)
        {
            chunks[k] = result;
        }
    }

    __syncthreads();
    if (warp == 0)
    {
        guided_finish(a.places, place, draw.inverse, count, [&](int k) -> const GuidedChunk& { return chunks[k]; });
    }
}
