// The pointwise functions of the networks, shared by the separate operations and the epilogue of the matrix product so that both give the same bits.
#pragma once

#include "common.cuh"

// As in Activation.cs.
constexpr int ACTIVATION_NONE = 0;
constexpr int ACTIVATION_SILU = 1;
constexpr int ACTIVATION_GELU_TANH = 2;
constexpr int ACTIVATION_GELU_ERF = 3;
constexpr int ACTIVATION_GELU_QUICK = 4;

__device__ __forceinline__ float activation_value(float x, int activation)
{
    switch (activation)
    {
        case ACTIVATION_SILU:
            return x / (1.0f + expf(-x));
        case ACTIVATION_GELU_TANH:
        {
            // 0.5x(1 + tanh u) is x·sigmoid(2u), which has no cancellation on the negative side.
            float twice_u = x * fmaf(x * x, 0.0713548162726f, 1.5957691216057308f);
            return x / (1.0f + expf(-twice_u));
        }
        case ACTIVATION_GELU_ERF:
            return x * fmaf(0.5f, erff(x * 0.7071067811865476f), 0.5f);
        case ACTIVATION_GELU_QUICK:
            return x / (1.0f + expf(-1.702f * x));
        default:
            return x;
    }
}
