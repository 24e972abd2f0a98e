// Gated residual.
//   forward   y = residual + gate · branch
//   backward  dbranch := gate · dy, dgate += Σ_tokens dy · branch; the gradient of the residual is dy itself
//   residual, branch, y, dy, dbranch [B,S,C] of T with row strides; gate, dgate [B,C] of T with row strides; y may be residual; dbranch may
//   be left out
//   saved     branch
//   floor     forward 3·M·C·sizeof(T) bytes and 2·M·C operations (M = B·S); backward 3·M·C·sizeof(T) (2 without dbranch) and 3·M·C
// A thread owns 16 bytes of columns, whose gates it keeps, in the rows of a chunk of one image, four rows at a time. A backward block
// leaves its part of dgate in a workspace [B,chunks,C] that columnsum.cu adds up in order.
#include "common.cuh"

constexpr int GATE_AT_ONCE = 4;

struct GateResidualArguments
{
    const void* residual;
    const void* branch;
    const void* gate;
    void* y;
    int64 residualStride;
    int64 branchStride;
    int64 gateStride;
    int64 yStride;
    int imageRows;
    int columns;
    int chunk;
    int vectors;
};

struct GateResidualBackwardArguments
{
    const void* dy;
    const void* branch;
    const void* gate;
    void* dbranch;
    float* partials;
    int64 dyStride;
    int64 branchStride;
    int64 gateStride;
    int64 dbranchStride;
    int imageRows;
    int columns;
    int chunk;
    int vectors;
};

template <typename T, int N>
__device__ __forceinline__ void gateresidual_forward(const GateResidualArguments& a)
{
    int column = (blockIdx.x * blockDim.x + threadIdx.x) * N;
    if (column >= a.columns)
    {
        return;
    }

    int64 image = (int64)blockIdx.z * a.imageRows;
    int64 first = image + (int64)blockIdx.y * a.chunk + threadIdx.y;
    int64 last = min(image + (int64)(blockIdx.y + 1) * a.chunk, image + a.imageRows);
    float gate[N];
    load_floats((const T*)a.gate + blockIdx.z * a.gateStride + column, gate);
    for (int64 row = first; row < last; row += GATE_AT_ONCE * blockDim.y)
    {
        float x[GATE_AT_ONCE][N], b[GATE_AT_ONCE][N];
#pragma unroll
        for (int r = 0; r < GATE_AT_ONCE; r++)
        {
            int64 at = row + r * blockDim.y;
            if (at < last)
            {
                load_floats((const T*)a.residual + at * a.residualStride + column, x[r]);
                load_floats((const T*)a.branch + at * a.branchStride + column, b[r]);
            }
        }

#pragma unroll
        for (int r = 0; r < GATE_AT_ONCE; r++)
        {
            int64 at = row + r * blockDim.y;
            if (at < last)
            {
#pragma unroll
                for (int i = 0; i < N; i++)
                {
                    x[r][i] = fmaf(gate[i], b[r][i], x[r][i]);
                }

                store_floats((T*)a.y + at * a.yStride + column, x[r]);
            }
        }
    }
}

template <typename T, int N>
__device__ __forceinline__ void gateresidual_backward(const GateResidualBackwardArguments& a)
{
    int column = (blockIdx.x * blockDim.x + threadIdx.x) * N;
    if (column >= a.columns)
    {
        return;
    }

    int64 image = (int64)blockIdx.z * a.imageRows;
    int64 first = image + (int64)blockIdx.y * a.chunk;
    int64 last = min(first + a.chunk, image + a.imageRows);
    float gate[N], dgate[N] = {};
    load_floats((const T*)a.gate + blockIdx.z * a.gateStride + column, gate);
    for (int64 row = first; row < last; row += GATE_AT_ONCE)
    {
        float d[GATE_AT_ONCE][N], b[GATE_AT_ONCE][N];
#pragma unroll
        for (int r = 0; r < GATE_AT_ONCE; r++)
        {
            if (row + r < last)
            {
                load_floats((const T*)a.dy + (row + r) * a.dyStride + column, d[r]);
                load_floats((const T*)a.branch + (row + r) * a.branchStride + column, b[r]);
            }
        }

#pragma unroll
        for (int r = 0; r < GATE_AT_ONCE; r++)
        {
            if (row + r < last)
            {
#pragma unroll
                for (int i = 0; i < N; i++)
                {
                    dgate[i] = fmaf(d[r][i], b[r][i], dgate[i]);
                    d[r][i] *= gate[i];
                }

                if (a.dbranch != nullptr)
                {
                    store_floats((T*)a.dbranch + (row + r) * a.dbranchStride + column, d[r]);
                }
            }
        }
    }

    store_floats(a.partials + ((int64)blockIdx.z * gridDim.y + blockIdx.y) * a.columns + column, dgate);
}

extern "C" __global__ void __launch_bounds__(256, 2) gateresidual_forward_f32(const GateResidualArguments a)
{
    a.vectors ? gateresidual_forward<float, 4>(a) : gateresidual_forward<float, 1>(a);
}

extern "C" __global__ void __launch_bounds__(256, 2) gateresidual_backward_f32(const GateResidualBackwardArguments a)
{
    a.vectors ? gateresidual_backward<float, 4>(a) : gateresidual_backward<float, 1>(a);
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(256, 2) gateresidual_forward_bf16(const GateResidualArguments a)
{
    a.vectors ? gateresidual_forward<bf16, 8>(a) : gateresidual_forward<bf16, 1>(a);
}

extern "C" __global__ void __launch_bounds__(256, 2) gateresidual_backward_bf16(const GateResidualBackwardArguments a)
{
    a.vectors ? gateresidual_backward<bf16, 8>(a) : gateresidual_backward<bf16, 1>(a);
}
#endif
