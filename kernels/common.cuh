// What every kernel shares: storage types and their conversion, runs of elements that move in one access, sums over a warp.
// Arithmetic is fp32 whatever the storage; bf16 is rounded to nearest even once, when a value is stored.
#pragma once

typedef unsigned char uint8;
typedef unsigned short uint16;
typedef unsigned int uint32;
typedef unsigned long long uint64;
typedef long long int64;

// bfloat16: the high half of an fp32. Storage only; there is no arithmetic on it.
struct bf16
{
    uint16 bits;
};

#if __CUDA_ARCH__ >= 800
#define HAS_BF16 1
#else
#define HAS_BF16 0
#endif

#include "ptx.cuh"

__device__ __forceinline__ float to_float(float x) { return x; }
__device__ __forceinline__ float to_float(bf16 x) { return __uint_as_float((uint32)x.bits << 16); }

template <typename T>
__device__ __forceinline__ T from_float(float x);

template <>
__device__ __forceinline__ float from_float<float>(float x)
{
    return x;
}

#if HAS_BF16
template <>
__device__ __forceinline__ bf16 from_float<bf16>(float x)
{
    return bf16{ptx_cvt_bf16(x)};
}
#endif

// N adjacent elements that one instruction moves: up to 16 bytes.
template <typename T, int N>
struct alignas(sizeof(T) * N) Pack
{
    T at[N];
};

// Elements of T that fill a 16-byte access.
template <typename T>
struct Wide
{
    static constexpr int count = 16 / sizeof(T);
};

template <int N, typename T>
__device__ __forceinline__ void load_floats(const T* p, float (&x)[N])
{
    Pack<T, N> pack = *reinterpret_cast<const Pack<T, N>*>(p);
#pragma unroll
    for (int i = 0; i < N; i++)
    {
        x[i] = to_float(pack.at[i]);
    }
}

template <int N, typename T>
__device__ __forceinline__ void store_floats(T* p, const float (&x)[N])
{
    Pack<T, N> pack;
#pragma unroll
    for (int i = 0; i < N; i++)
    {
        pack.at[i] = from_float<T>(x[i]);
    }

    *reinterpret_cast<Pack<T, N>*>(p) = pack;
}

#if HAS_BF16
// Two at a time, as one instruction rounds and packs them.
template <int N>
__device__ __forceinline__ void store_floats(bf16* p, const float (&x)[N])
{
    static_assert(N == 1 || N % 2 == 0, "one bf16 or pairs");
    if constexpr (N == 1)
    {
        *p = from_float<bf16>(x[0]);
    }
    else
    {
        Pack<uint32, N / 2> pairs;
#pragma unroll
        for (int i = 0; i < N / 2; i++)
        {
            pairs.at[i] = ptx_cvt_bf16x2(x[2 * i], x[2 * i + 1]);
        }

        *reinterpret_cast<Pack<uint32, N / 2>*>(p) = pairs;
    }
}
#endif

constexpr uint32 WHOLE_WARP = 0xffffffffu;

#define INFINITY __int_as_float(0x7f800000)

// Sum over the 32 lanes, the same bits in every lane.
__device__ __forceinline__ float warp_sum(float x)
{
#pragma unroll
    for (int offset = 16; offset > 0; offset >>= 1)
    {
        x += __shfl_xor_sync(WHOLE_WARP, x, offset);
    }

    return x;
}

__device__ __forceinline__ float warp_max(float x)
{
#pragma unroll
    for (int offset = 16; offset > 0; offset >>= 1)
    {
        x = fmaxf(x, __shfl_xor_sync(WHOLE_WARP, x, offset));
    }

    return x;
}

// Rows that hold values: all of them, or as many as the device says (Tensor.LiveRows).
__device__ __forceinline__ int live_rows(const int* live, int rows)
{
    return live == nullptr ? rows : min(*live, rows);
}
