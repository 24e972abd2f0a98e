// exp and log in fp32 from additions and multiplications alone, in the order and with the roundings of the CPU backend (SimdMath.cs):
// the same bits on the host and on every device, so that a draw of codes does not depend on where it is made. Coefficients: minimax
// polynomials of Cephes (S. Moshier). Nothing here may be contracted or approximated, hence the _rn intrinsics throughout.
#pragma once

#include "common.cuh"

// e^x within about 1 ulp; 0 below -87.33, infinite above 88.37; NaN stays NaN.
__device__ __forceinline__ float exact_exp(float x)
{
    float clamped = fminf(fmaxf(x, -88.0f), 89.0f);
    float n = rintf(__fmul_rn(clamped, 1.44269504088896341f));
    float r = __fmaf_rn(n, -0.693359375f, clamped);
    r = __fmaf_rn(n, 2.12194440e-4f, r);
    float p = 1.9875691500e-4f;
    p = __fmaf_rn(p, r, 1.3981999507e-3f);
    p = __fmaf_rn(p, r, 8.3334519073e-3f);
    p = __fmaf_rn(p, r, 4.1665795894e-2f);
    p = __fmaf_rn(p, r, 1.6666665459e-1f);
    p = __fmaf_rn(p, r, 5.0000001201e-1f);
    p = __fmaf_rn(p, __fmul_rn(r, r), __fadd_rn(r, 1.0f));
    float result = __fmul_rn(p, __int_as_float((__float2int_rn(n) + 127) << 23));
    return x == x ? result : x;
}

// ln x within about 1 ulp for positive normal x; other arguments are the caller's mistake.
__device__ __forceinline__ float exact_log(float x)
{
    // Shift the mantissa to [sqrt(1/2), sqrt(2)): subtracting the bits of sqrt(1/2) first makes the exponent field carry at the right place.
    int offset = __float_as_int(x) - 0x3F3504F3;
    float e = __int2float_rn(offset >> 23);
    float m = __fadd_rn(__int_as_float((offset & 0x007FFFFF) + 0x3F3504F3), -1.0f);
    float z = __fmul_rn(m, m);
    float p = 7.0376836292e-2f;
    p = __fmaf_rn(p, m, -1.1514610310e-1f);
    p = __fmaf_rn(p, m, 1.1676998740e-1f);
    p = __fmaf_rn(p, m, -1.2420140846e-1f);
    p = __fmaf_rn(p, m, 1.4249322787e-1f);
    p = __fmaf_rn(p, m, -1.6668057665e-1f);
    p = __fmaf_rn(p, m, 2.0000714765e-1f);
    p = __fmaf_rn(p, m, -2.4999993993e-1f);
    p = __fmaf_rn(p, m, 3.3333331174e-1f);
    float y = __fmul_rn(__fmul_rn(p, m), z);
    y = __fmaf_rn(e, -2.12194440e-4f, y);
    y = __fmaf_rn(z, -0.5f, y);
    return __fmaf_rn(e, 0.693359375f, __fadd_rn(m, y));
}
