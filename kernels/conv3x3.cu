// 3x3 convolution, channels last, as a matrix product of patches that are never in memory: y[m,o] = bias[o] + Σ_k patch(m,k) w[o,k] (+ residual[m,o]),
// k = tap · C + c (conv3x3.cuh says what a patch is).
//   x [B,H,W,C], w [O,3,3,C], bias [O], residual of T, pixels apart by strides; y [B,h,w,O] of T or fp32; forward only, nothing saved
//   same      stride 1, zero padding 1
//   halved    stride 2, zero padding 1 at the right and bottom alone
//   doubled   same, on the map enlarged twice by repeating pixels. Outputs of one parity of row and column see 2 x 2 pixels; conv3x3fold.cu adds the weights of
//             taps that fall on one of them, [4,O,2,2,C] in a workspace, rounded to T, and four products of 4 taps make what one of 9 taps would make
//             on four times the pixels
//   floor     18·C operations per result (8·C doubled); sizeof(T)·(B·H·W·C + 9·O·C + B·h·w·O·(1 + residual)) bytes. At 1024 x 1024 pixels, C = O = 256, bf16:
//             1.24 TFLOP and 1.1 GB, 4.0 ms at A100's 312 TFLOP/s against 0.5 ms of its memory: bound by the tensor cores
//   geometry  as linear.cu: the same tiles, warps, ring of stages and epilogue; only where a thread reads its 16-byte runs of x differs
//   limiter   as linear.cu. A map's pixel is read by the taps of up to nine outputs, from the second-level cache all but once
// Deterministic: each result is one chain in the order of k, no atomics. T is bf16 (tensor cores, fp32 sums) or fp32.
// This file has the kernels that read 16-byte runs of bf16, conv3x3any.cu the others.
#include "conv3x3.cuh"

#if HAS_BF16
template <typename S>
__device__ __forceinline__ void conv3x3_async(const Conv3x3Arguments& a)
{
    conv3x3_mma<S, AsyncPatches<S::BM, S::THREADS>, AsyncOperand<S::BN, S::THREADS, true>>(a);
}

extern "C" __global__ void __launch_bounds__(LinearLarge::THREADS, 1) conv3x3_large_bf16(const Conv3x3Arguments a)
{
    conv3x3_async<LinearLarge>(a);
}

extern "C" __global__ void __launch_bounds__(LinearMedium::THREADS, 2) conv3x3_medium_bf16(const Conv3x3Arguments a)
{
    conv3x3_async<LinearMedium>(a);
}

extern "C" __global__ void __launch_bounds__(LinearSmall::THREADS, 4) conv3x3_small_bf16(const Conv3x3Arguments a)
{
    conv3x3_async<LinearSmall>(a);
}
#endif
