// Every piece of inline PTX of the library, one wrapper each. Nothing here is more than one instruction.
#pragma once

#if HAS_BF16
// fp32 to bf16, round to nearest even.
__device__ __forceinline__ uint16 ptx_cvt_bf16(float x)
{
    uint16 bits;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(x));
    return bits;
}
#endif
