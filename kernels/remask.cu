// Decodes all but k masked positions of each canvas: those of lowest confidence + τ_r·Gumbel keep the mask, the others take their candidate.
//   canvas, candidates, decodedStep [B,N] int; confidence, logProb, decodedLogProb [B,N] fp32; actions [B,4] fp64; k in fp64 (or the
//   reference's fp32) from r, the count of masked positions and the step; ties by lower index re-masked first
//   floor   about 24·N bytes per canvas
// One block per canvas. Keys (the sum as an integer in the order of the numbers) stay in shared memory; the k-th smallest is found by four
// radix passes of 8 bits over them, without a sort; ties are ranked by position with ballots. Integer atomics on the histogram only, so
// the result does not depend on their order.
#include "philox.cuh"

constexpr int REMASK_THREADS = 256;
constexpr int REMASK_WARPS = REMASK_THREADS / 32;

struct RemaskArguments
{
    int* canvas;
    const int* candidates;
    const float* confidence;
    const float* logProb;
    const double* actions;
    const double* startShare;
    const int* trajectories;
    const uint64* key;
    int* decodedStep;
    float* decodedLogProb;
    int positions;
    int step;
    int steps;
    int maskToken;
    int singleCount;
};

// Numbers as integers in their order; a NaN ranks with -∞, the two zeros are one.
__device__ __forceinline__ uint32 remask_key(float x)
{
    x = x == x ? __fadd_rn(x, 0.0f) : -INFINITY;
    int bits = __float_as_int(x);
    return (uint32)((bits >> 31) | 0x80000000) ^ (uint32)bits;
}

// RemaskCount.Of and OfSingle.
__device__ __forceinline__ int remask_count(int codes, double share, int masked, int step, int steps, bool single)
{
    if (step == steps - 1 || masked == 0)
    {
        return 0;
    }

    double whole = single ? (double)floorf(__fmul_rn((float)codes, (float)share)) : floor(__dadd_rn(__dmul_rn((double)codes, share), 1e-7));
    whole = whole == whole ? fmin(fmax(whole, 0.0), (double)codes) : 0.0;
    return max(min((int)whole, masked - 1), 1);
}

__device__ __forceinline__ int remask_block_sum(int x, int* scratch)
{
#pragma unroll
    for (int offset = 16; offset > 0; offset >>= 1)
    {
        x += __shfl_xor_sync(WHOLE_WARP, x, offset);
    }

    __syncthreads();
    if (threadIdx.x % 32 == 0)
    {
        scratch[threadIdx.x / 32] = x;
    }

    __syncthreads();
    int sum = 0;
#pragma unroll
    for (int i = 0; i < REMASK_WARPS; i++)
    {
        sum += scratch[i];
    }

    return sum;
}

extern "C" __global__ void __launch_bounds__(REMASK_THREADS) remask(const RemaskArguments a)
{
    extern __shared__ uint32 keys[];
    __shared__ int histogram[256];
    __shared__ int scratch[REMASK_WARPS];
    __shared__ uint32 chosen[2];
    int n = a.positions;
    int64 first = (int64)blockIdx.x * n;
    int* canvas = a.canvas + first;
    int lane = threadIdx.x % 32;
    int warp = threadIdx.x / 32;

    int count = 0;
    for (int i = threadIdx.x; i < n; i += REMASK_THREADS)
    {
        count += canvas[i] == a.maskToken ? 1 : 0;
    }

    int masked = remask_block_sum(count, scratch);
    double share = __dmul_rn(a.actions[4 * blockIdx.x], a.startShare[blockIdx.x]);
    int keep = remask_count(n, share, masked, a.step, a.steps, a.singleCount != 0);
    if (keep >= masked)
    {
        return;
    }

    // Decoded positions get a key above all others, so that no pass has to look at the canvas again.
    float temperature = (float)a.actions[4 * blockIdx.x + 2];
    uint32 trajectory = (uint32)a.trajectories[blockIdx.x];
    for (int block = threadIdx.x; 4 * block < n; block += REMASK_THREADS)
    {
        PhiloxBlock bits = philox(*a.key, (uint32)block, 0, (uint32)a.step, trajectory);
#pragma unroll
        for (int w = 0; w < 4; w++)
        {
            int i = 4 * block + w;
            if (i < n)
            {
                keys[i] = 0xffffffffu;
                if (canvas[i] == a.maskToken)
                {
                    float score = a.confidence[first + i];
                    score = temperature != 0.0f ? __fmaf_rn(temperature, philox_gumbel(bits.word[w]), score) : score;
                    keys[i] = remask_key(score);
                }
            }
        }
    }

    // The digits of the keep-th smallest key from the top; rank is its place among the keys that share the digits found so far.
    uint32 threshold = 0;
    int rank = keep;
    for (int shift = 24; keep > 0 && shift >= 0; shift -= 8)
    {
        __syncthreads();
        histogram[threadIdx.x] = 0;
        __syncthreads();
        for (int i = threadIdx.x; i < n; i += REMASK_THREADS)
        {
            if (shift == 24 || keys[i] >> (shift + 8) == threshold >> (shift + 8))
            {
                atomicAdd(&histogram[(keys[i] >> shift) & 255], 1);
            }
        }

        __syncthreads();
        if (warp == 0)
        {
            // Lane l owns digits 8 l to 8 l + 7.
            int own = 0;
#pragma unroll
            for (int d = 0; d < 8; d++)
            {
                own += histogram[8 * lane + d];
            }

            int before = own;
#pragma unroll
            for (int offset = 1; offset < 32; offset <<= 1)
            {
                int other = __shfl_up_sync(WHOLE_WARP, before, offset);
                before += lane >= offset ? other : 0;
            }

            before -= own;
            if (before < rank && rank <= before + own)
            {
                int digit = 8 * lane;
                while (rank > before + histogram[digit])
                {
                    before += histogram[digit];
                    digit++;
                }

                chosen[0] = (uint32)digit;
                chosen[1] = (uint32)(rank - before);
            }
        }

        __syncthreads();
        threshold |= chosen[0] << shift;
        rank = (int)chosen[1];
    }

    // The first `rank` keys equal to the threshold stay, in the order of positions.
    __syncthreads();
    int equal = 0;
    for (int base = 0; base < n; base += REMASK_THREADS)
    {
        int i = base + threadIdx.x;
        bool masks = i < n && canvas[i] == a.maskToken;
        bool ties = masks && keep > 0 && keys[i] == threshold;
        uint32 vote = __ballot_sync(WHOLE_WARP, ties);
        if (lane == 0)
        {
            scratch[warp] = __popc(vote);
        }

        __syncthreads();
        int before = equal + __popc(vote & ((1u << lane) - 1));
#pragma unroll
        for (int w = 0; w < REMASK_WARPS; w++)
        {
            before += w < warp ? scratch[w] : 0;
            equal += scratch[w];
        }

        bool stays = masks && keep > 0 && (keys[i] < threshold || (ties && before < rank));
        if (masks && !stays)
        {
            canvas[i] = a.candidates[first + i];
            a.decodedStep[first + i] = a.step;
            a.decodedLogProb[first + i] = a.logProb[first + i];
        }

        __syncthreads();
    }
}
