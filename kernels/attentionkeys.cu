// Gradients of attention.cu, all overwritten. With P = exp(q k^T / sqrt(D) - logSumExp), dP = dO v^T and delta = Σ_d dO·o per query and head:
//   dS = P ⊙ (dP - delta), dv = P^T dO, dk = dS^T q / sqrt(D), dq = dS k / sqrt(D); causal: P = 0 where key > query
//   delta     [B,H,Sq] fp32 in a workspace, by a first kernel that reads dO and o once
//   floor     14·B·H·Sq·Skv·D operations (10 if scores and dP were kept); sizeof(T)·B·H·D·(5·Sq + 6·Skv) bytes and 2·sizeof(T)·B·H·D·Sq for delta.
//             At B = 8, S = 1101, H·D = 1024 in bf16: 139 GFLOP, 446 us at A100's 312 TFLOP/s
//   geometry  two kernels of one body (attentionbackward.cuh): a block owns 64 keys (dk and dv) or 64 queries (dq), 16 per warp, and walks over the other side, 32
//             tokens at a time at D > 64, else 64, in two buffers: the next ones arrive while these are multiplied. Scores of own rows are the rows of the
//             accumulators, so P and dS are left operands of the last products without leaving the registers.
//             Shared memory 2·64·D·2 + 2·2·tokens·D·2 bytes: 64.5 KiB at D = 128, two blocks per SM (one on sm_86 and sm_89)
//             fp32: a block of 128 threads owns 32 rows, a thread two of them and D/8 columns of their gradients
//   limiter   bf16: shared memory. Per 16 x 32 scores at D = 128 a warp reads 40 KiB of fragments (320 cycles of the SM) for the 128 mma of dk and dv (256 cycles
//             on A100), 32 KiB (256 cycles) for the 96 of dq (192). fp32: shared memory
// P and dS are rounded to bf16 for their products. No atomics: every gradient is summed by its owner in the order of the other side's tokens, so the
// bits of an image do not depend on the others.
#include "attentionbackward.cuh"
#include "parts.cuh"

// delta of a query and head: eight threads share it, each takes every eighth run; a warp has four heads at a time.
template <typename T>
__device__ __forceinline__ void attention_delta(const AttentionArguments& a)
{
    constexpr int N = Wide<T>::count;
    int row = blockIdx.x; // image and query
    int image = row / a.queries, query = row % a.queries;
    int within = threadIdx.x % 32 / 8, member = threadIdx.x % 8;
    for (int base = threadIdx.x / 32 * 4; base < a.heads; base += blockDim.x / 8)
    {
        int head = base + within;
        float sum = 0;
        if (head < a.heads)
        {
            const T* o = (const T*)a.o + row * a.oStride + head * a.width;
            const T* d_o = (const T*)a.d_o + row * a.d_oStride + head * a.width;
            for (int c = member * N; c < a.width; c += 8 * N)
            {
                float x[N], g[N];
                load_part(o + c, a.width - c, a.vectors, x);
                load_part(d_o + c, a.width - c, a.vectors, g);
#pragma unroll
                for (int i = 0; i < N; i++)
                {
                    sum = fmaf(x[i], g[i], sum);
                }
            }
        }

        sum = team_total(sum);
        if (head < a.heads && member == 0)
        {
            a.delta[((int64)image * a.heads + head) * a.queries + query] = sum;
        }
    }
}

extern "C" __global__ void __launch_bounds__(128) attentionkeys_delta_f32(const AttentionArguments a)
{
    attention_delta<float>(a);
}

extern "C" __global__ void __launch_bounds__(SIMT_THREADS, 2) attentionkeys_32_f32(const AttentionArguments a)
{
    attention_backward_simt<32, true>(a);
}

extern "C" __global__ void __launch_bounds__(SIMT_THREADS, 2) attentionkeys_64_f32(const AttentionArguments a)
{
    attention_backward_simt<64, true>(a);
}

extern "C" __global__ void __launch_bounds__(SIMT_THREADS, 2) attentionkeys_128_f32(const AttentionArguments a)
{
    attention_backward_simt<128, true>(a);
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(128) attentionkeys_delta_bf16(const AttentionArguments a)
{
    attention_delta<bf16>(a);
}

extern "C" __global__ void __launch_bounds__(128, 2) attentionkeys_32_bf16(const AttentionArguments a)
{
    attention_backward<32, true>(a);
}

extern "C" __global__ void __launch_bounds__(128, 2) attentionkeys_64_bf16(const AttentionArguments a)
{
    attention_backward<64, true>(a);
}

extern "C" __global__ void __launch_bounds__(128, 2) attentionkeys_80_bf16(const AttentionArguments a)
{
    attention_backward<80, true>(a);
}

extern "C" __global__ void __launch_bounds__(128, 2) attentionkeys_128_bf16(const AttentionArguments a)
{
    attention_backward<128, true>(a);
}
#endif
