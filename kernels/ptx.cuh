// Every piece of inline PTX of the library, one wrapper each. Nothing here is more than one instruction.
#pragma once

// Two floats to shared memory in one access, which the compiler would take apart at times; aligned to 8 bytes.
__device__ __forceinline__ void ptx_store_shared(uint32 shared, float x, float y)
{
    asm volatile("st.shared.v2.f32 [%0], {%1, %2};" : : "r"(shared), "f"(x), "f"(y) : "memory");
}

// 2^x with a relative error of 2^-22; 0 below 2^-126.
__device__ __forceinline__ float ptx_ex2(float x)
{
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

#if HAS_BF16
// fp32 to bf16, round to nearest even.
__device__ __forceinline__ uint16 ptx_cvt_bf16(float x)
{
    uint16 bits;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(x));
    return bits;
}

// Two fp32 to a pair of bf16, round to nearest even; the first is the low half.
__device__ __forceinline__ uint32 ptx_cvt_bf16x2(float low, float high)
{
    uint32 bits;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
    return bits;
}

// Copies bytes (16 or 0) from global to shared memory in the background and fills up to 16 with zeros; past the first-level cache.
__device__ __forceinline__ void ptx_cp_async16(uint32 shared, const void* global, int bytes)
{
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" : : "r"(shared), "l"(global), "r"(bytes) : "memory");
}

// As ptx_cp_async16 for bytes of 4 or 0; through the first-level cache.
__device__ __forceinline__ void ptx_cp_async4(uint32 shared, const void* global, int bytes)
{
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" : : "r"(shared), "l"(global), "r"(bytes) : "memory");
}

// Closes the group of copies that this thread has started since the last one.
__device__ __forceinline__ void ptx_cp_async_commit()
{
    asm volatile("cp.async.commit_group;" : : : "memory");
}

// Waits until all but the latest PENDING groups of this thread have arrived.
template <int PENDING>
__device__ __forceinline__ void ptx_cp_async_wait()
{
    asm volatile("cp.async.wait_group %0;" : : "n"(PENDING) : "memory");
}

// Four 8x8 matrices of bf16; lane 8i + j gives the address of row j of matrix i and receives elements 2(lane % 4) and the next of row lane / 4.
__device__ __forceinline__ void ptx_ldmatrix(uint32 (&m)[4], uint32 shared)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];" : "=r"(m[0]), "=r"(m[1]), "=r"(m[2]), "=r"(m[3]) : "r"(shared));
}

// As ptx_ldmatrix, each matrix transposed.
__device__ __forceinline__ void ptx_ldmatrix_transposed(uint32 (&m)[4], uint32 shared)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];" : "=r"(m[0]), "=r"(m[1]), "=r"(m[2]), "=r"(m[3]) : "r"(shared));
}

// c += a b for a [16,16] and b [16,8] of bf16, c [16,8] fp32, in the fragment layout of mma.m16n8k16.
__device__ __forceinline__ void ptx_mma_bf16(float (&c)[4], const uint32 (&a)[4], uint32 b0, uint32 b1)
{
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
#endif
