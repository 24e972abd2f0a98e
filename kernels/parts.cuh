// Runs of N adjacent elements of which only the first `count` exist: whole and aligned ones move in one access, the others element by element.
#pragma once

#include "common.cuh"

template <int N, typename T>
__device__ __forceinline__ void load_part(const T* p, int count, bool vectors, float (&x)[N])
{
    if (vectors)
    {
        load_floats(p, x);
        return;
    }

#pragma unroll
    for (int i = 0; i < N; i++)
    {
        x[i] = i < count ? to_float(p[i]) : 0.0f;
    }
}

template <int N, typename T>
__device__ __forceinline__ void store_part(T* p, int count, bool vectors, const float (&x)[N])
{
    if (vectors)
    {
        store_floats(p, x);
        return;
    }

#pragma unroll
    for (int i = 0; i < N; i++)
    {
        if (i < count)
        {
            p[i] = from_float<T>(x[i]);
        }
    }
}
