// Matrix product with fused epilogue: p = x W^T + bias, a = activation(p), y = a | residual + a | residual + gate ⊙ a, and, with the operands of
// linear.cuh in other roles, both of its gradients. This file has the kernels whose two operands lie with k fastest (Linear OutIn,
// LinearBackwardInput InOut) and the ones for shapes without 16-byte runs; linearwide.cu and linearweight.cu the others.
//   x [M,K], W [N,K], bias [N], residual and preActivation [M,N], gate [B,N] of T with row strides; y [M,N] of T or fp32; preActivation receives p
//   for the backward pass.
//   T is bf16 (sums in fp32 on tensor cores, linearmma.cuh) or fp32 (linearsimt.cuh); one rounding at the store, two where a branch meets a residual.
//   floor     2·M·N·K operations; sizeof(T)·(M·K + N·K + M·N·(1 + residual + preActivation)) bytes. At M = 8808, N = K = 1024, bf16: 18.5 GFLOP and
//             38 MB, so 59 us at A100's 312 TFLOP/s against 19 us of its memory: bound by the tensor cores
//   geometry  tile        threads  stages  shared   registers  blocks per SM
//             128 x 256   256      4       96 KiB   <= 255     1             large products: least traffic from the second-level cache
//             128 x 128   128      3       48 KiB   <= 255     2 (also with the 100 KiB of sm_86 and sm_89)
//             64 x 64     128      4       32 KiB   <= 128     4 (3)         few rows: more blocks than SMs
//             128 x 64    128      2       24 KiB   <= 255     2             fp32, 8 x 8 results per thread
//   limiter   the tensor cores. A warp of 64 x 64 reads 128 bytes of shared memory per mma.m16n8k16, one cycle of its bandwidth, where an mma takes two
//             cycles on A100 and about 1.6 on H100 (mma.sync does not reach the rate of wgmma); a block of 128 x 128 does 64 operations per byte that it
//             asks of the second-level cache, one of 128 x 256 does 85. fp32: the issue of FFMA, 1024 of 1400 instructions of a step of the main loop
// Rows beyond *live are neither read nor written, their blocks leave at once. Deterministic: each result is one chain in the order of k, no atomics.
#include "linearmma.cuh"
#include "linearsimt.cuh"

extern "C" __global__ void __launch_bounds__(SIMT_THREADS, 2) linear_f32(const LinearArguments a)
{
    linear_simt<true, true>(a);
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(LinearLarge::THREADS, 1) linear_large_bf16(const LinearArguments a)
{
    linear_async<LinearLarge, true, true>(a);
}

extern "C" __global__ void __launch_bounds__(LinearMedium::THREADS, 2) linear_medium_bf16(const LinearArguments a)
{
    linear_async<LinearMedium, true, true>(a);
}

extern "C" __global__ void __launch_bounds__(LinearSmall::THREADS, 4) linear_small_bf16(const LinearArguments a)
{
    linear_async<LinearSmall, true, true>(a);
}

extern "C" __global__ void __launch_bounds__(LinearSmall::THREADS, 4) linear_any_bf16(const LinearArguments a)
{
    using Operand = AnyOperand<LinearSmall::BM, LinearSmall::THREADS>;
    linear_mma<LinearSmall, true, true, Operand, Operand>(a);
}
#endif
