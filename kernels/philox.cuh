// Philox4x32-10 (Salmon et al., SC 2011), the same bits as the host's (Randomness/Philox.cs): every number is addressed by key and
// counter. And what is made of the bits: uniforms and Gumbel noise.
#pragma once

#include "elementary.cuh"

struct PhiloxBlock
{
    uint32 word[4];
};

__device__ __forceinline__ PhiloxBlock philox(uint64 key, uint32 c0, uint32 c1, uint32 c2, uint32 c3)
{
    uint32 k0 = (uint32)key;
    uint32 k1 = (uint32)(key >> 32);
#pragma unroll
    for (int round = 0; round < 10; round++)
    {
        uint64 p0 = (uint64)0xD2511F53u * c0;
        uint64 p1 = (uint64)0xCD9E8D57u * c2;
        uint32 next0 = (uint32)(p1 >> 32) ^ c1 ^ k0;
        uint32 next2 = (uint32)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32)p1;
        c3 = (uint32)p0;
        c0 = next0;
        c2 = next2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }

    return PhiloxBlock{{c0, c1, c2, c3}};
}

// In the open interval (0,1): (23 high bits + 1/2) / 2^23, exact.
__device__ __forceinline__ float philox_uniform(uint32 bits)
{
    return __fmul_rn(__fadd_rn(__int2float_rn((int)(bits >> 9)), 0.5f), 1.0f / 8388608.0f);
}

// -log(-log u); lies in [-2.82, 16.64].
__device__ __forceinline__ float philox_gumbel(uint32 bits)
{
    return -exact_log(-exact_log(philox_uniform(bits)));
}
