// AdaLN modulate (specs/meissonic.md): layer norm without weights of its own, scaled and shifted per image.
//   forward   y = LN(x) (1 + scale) + shift
//   backward  dx overwritten or added to, dscale += Σ_tokens dy · LN(x), dshift += Σ_tokens dy, as layernorm.cuh has them
//   x, y, dy, dx [B,S,C] of T with row strides; shift, scale and their gradients [B,C] of T with row strides; stats [B·S,2] fp32: mean and
//   rstd, saved for backward
//   floor     forward 2·M·C·sizeof(T) bytes and 8·M·C operations (M = B·S); backward 3·M·C·sizeof(T) (4 when accumulating) and 14·M·C
// A group is an image. A backward block leaves its parts of dscale and dshift in workspaces [B,blocks,C] that columnsum.cu adds up in
// order: an image's gradients have the same bits in any batch.
#include "layernorm.cuh"

extern "C" __global__ void __launch_bounds__(ROW_FORWARD_BLOCK, 2) adaln_forward_f32(const LayerNormArguments a)
{
    layernorm_forward<float, 1>(a);
}

extern "C" __global__ void __launch_bounds__(ROW_BACKWARD_BLOCK, 3) adaln_backward_f32(const LayerNormBackwardArguments a)
{
    layernorm_backward<float, 1>(a);
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(ROW_FORWARD_BLOCK, 2) adaln_forward_bf16(const LayerNormArguments a)
{
    layernorm_forward<bf16, 1>(a);
}

extern "C" __global__ void __launch_bounds__(ROW_BACKWARD_BLOCK, 3) adaln_backward_bf16(const LayerNormBackwardArguments a)
{
    layernorm_backward<bf16, 1>(a);
}
#endif
