// What the matrix products share: their arguments, the epilogue that turns a finished sum into a result, and the order of tiles.
// One product serves all three operations: C[i,j] = Σ_k A(i,k) B(j,k), where each operand lies in memory with k fastest ("deep") or with k
// slowest ("wide"):
//   Linear               A = x deep,   B = weight deep (OutIn) or wide (InOut)
//   LinearBackwardInput  A = dy deep,  B = weight wide (OutIn) or deep (InOut)
//   LinearBackwardWeight A = dy wide,  B = x wide (OutIn; exchanged for InOut), k runs over tokens
// Every element is one sum in the order of k, the same whatever the tile: a row has the same bits at any number of rows.
#pragma once

#include "activation.cuh"
#include "parts.cuh"

struct LinearArguments
{
    const void* a;
    const void* b;
    void* y;
    const void* bias;
    void* preActivation;
    const void* residual;
    const void* gate;
    const int* live;
    int64 aStride;
    int64 bStride;
    int64 yStride;
    int64 preActivationStride;
    int64 residualStride;
    int64 gateStride;
    int64 partStride; // elements from one part's y to the next
    int rows;
    int columns;
    int depth;
    int partDepth; // k of one part; parts are blockIdx.z
    int rowsPerGate;
    int activation;
    int accumulate; // y += instead of y :=
    int yFloat;     // y is fp32 although storage is bf16
    int vectors;    // every tensor of the epilogue moves in 16-byte runs
    int aVectors;
    int bVectors;
    int aFloat; // a is fp32 although storage is bf16
    int bFloat;
    int aDeep;
    int bDeep;
};

// Tiles in an order that keeps those of a wave close together: columns of up to eight tiles, so that a wave reads few rows of A and of B.
__device__ __forceinline__ void linear_tile(int rowTiles, int columnTiles, int& i, int& j)
{
    constexpr int GROUP = 8;
    int group = blockIdx.x / (GROUP * columnTiles);
    int within = blockIdx.x - group * GROUP * columnTiles;
    int height = min(rowTiles - group * GROUP, GROUP);
    i = group * GROUP + within % height;
    j = within / height;
}

// Where row i of the results stands in y and residual: there.
struct SameRow
{
    __device__ __forceinline__ int operator()(int row) const { return row; }
};

// Bias of columns [column, column + N); zeros where there is none.
template <typename T, int N>
__device__ __forceinline__ void linear_bias(const LinearArguments& a, int column, float (&bias)[N])
{
#pragma unroll
    for (int i = 0; i < N; i++)
    {
        bias[i] = 0;
    }

    if (a.bias != nullptr && column < a.columns)
    {
        load_part((const T*)a.bias + column, a.columns - column, a.vectors, bias);
    }
}

// From N adjacent sums of a row to what is stored. T is the storage type, Y that of y. The branch of a residual stream is rounded as if it had
// been stored, so that the fused form and the two separate operations give the same bits.
template <typename T, typename Y, int N, typename Row>
__device__ __forceinline__ void linear_finish(const LinearArguments& a, Y* y, Row row, int column, const float (&bias)[N], float (&v)[N])
{
    int count = a.columns - column;
    bool vectors = a.vectors;
    y += row * a.yStride + column;
#pragma unroll
    for (int i = 0; i < N; i++)
    {
        v[i] += bias[i];
    }

    if (a.preActivation != nullptr)
    {
        store_part((T*)a.preActivation + row * a.preActivationStride + column, count, vectors, v);
    }

    if (a.activation != ACTIVATION_NONE)
    {
#pragma unroll
        for (int i = 0; i < N; i++)
        {
            v[i] = activation_value(v[i], a.activation);
        }
    }

    if (a.gate != nullptr || a.residual != nullptr)
    {
        float gate[N], residual[N];
        if (a.gate != nullptr)
        {
            load_part((const T*)a.gate + row / a.rowsPerGate * a.gateStride + column, count, vectors, gate);
        }

        if (a.residual != nullptr)
        {
            load_part((const T*)a.residual + row * a.residualStride + column, count, vectors, residual);
        }

#pragma unroll
        for (int i = 0; i < N; i++)
        {
            float branch = to_float(from_float<Y>(v[i]));
            v[i] = a.residual == nullptr ? gate[i] * branch : a.gate == nullptr ? residual[i] + branch : fmaf(gate[i], branch, residual[i]);
        }
    }

    if (a.accumulate)
    {
        float old[N];
        load_part(y, count, vectors, old);
#pragma unroll
        for (int i = 0; i < N; i++)
        {
            v[i] += old[i];
        }
    }

    store_part(y, count, vectors, v);
}
