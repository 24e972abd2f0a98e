// Layer norm with weights.
//   forward   y = LN(x) w + b
//   backward  dx overwritten or added to, dw += Σ_rows dy · LN(x), db += Σ_rows dy, as layernorm.cuh has them
//   x, y, dy, dx [M,C] of T with row strides; w, b [C] of T; dw, db [C] fp32; stats [M,2] fp32: mean and rstd, saved for backward
//   floor     forward 2·M·C·sizeof(T) bytes and 8·M·C operations; backward 3·M·C·sizeof(T) (4 when accumulating) and 14·M·C
// One group. A backward block leaves its parts of dw and db in workspaces [blocks,C] that columnsum.cu adds up in order.
#include "layernorm.cuh"

extern "C" __global__ void __launch_bounds__(ROW_FORWARD_BLOCK, 2) layernorm_forward_f32(const LayerNormArguments a)
{
    layernorm_forward<float, 0>(a);
}

extern "C" __global__ void __launch_bounds__(ROW_BACKWARD_BLOCK, 3) layernorm_backward_f32(const LayerNormBackwardArguments a)
{
    layernorm_backward<float, 0>(a);
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(ROW_FORWARD_BLOCK, 2) layernorm_forward_bf16(const LayerNormArguments a)
{
    layernorm_forward<bf16, 0>(a);
}

extern "C" __global__ void __launch_bounds__(ROW_BACKWARD_BLOCK, 3) layernorm_backward_bf16(const LayerNormBackwardArguments a)
{
    layernorm_backward<bf16, 0>(a);
}
#endif
