// dq of attention: the blocks that own queries. attentionkeys.cu has formulas, floor and geometry.
#include "attentionbackward.cuh"

extern "C" __global__ void __launch_bounds__(SIMT_THREADS, 2) attentionqueries_32_f32(const AttentionArguments a)
{
    attention_backward_simt<32, false>(a);
}

extern "C" __global__ void __launch_bounds__(SIMT_THREADS, 2) attentionqueries_64_f32(const AttentionArguments a)
{
    attention_backward_simt<64, false>(a);
}

extern "C" __global__ void __launch_bounds__(SIMT_THREADS, 2) attentionqueries_128_f32(const AttentionArguments a)
{
    attention_backward_simt<128, false>(a);
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(128, 2) attentionqueries_32_bf16(const AttentionArguments a)
{
    attention_backward<32, false>(a);
}

extern "C" __global__ void __launch_bounds__(128, 2) attentionqueries_64_bf16(const AttentionArguments a)
{
    attention_backward<64, false>(a);
}

extern "C" __global__ void __launch_bounds__(128, 2) attentionqueries_80_bf16(const AttentionArguments a)
{
    attention_backward<80, false>(a);
}

extern "C" __global__ void __launch_bounds__(128, 2) attentionqueries_128_bf16(const AttentionArguments a)
{
    attention_backward<128, false>(a);
}
#endif
