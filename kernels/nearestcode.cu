// The nearest code of every vector: codes[m] = argmin_v Σ_d (x[m,d] - codebook[v,d])², the lower v of equal distances.
//   x [M,D], codebook [V,D] fp32, row strides; codes Int32 [M]
//   floor     3·M·V·D operations, 4·(M·D + V·D + M) bytes. M = 4096, V = 8192, D = 64: 6.4 GFLOP, 0.5 ms at A100's rate without tensor cores
//   Distances are sums of squared differences, not the norms and products they could be expanded to: those cancel, and the codes of near ties would
//   depend on how far the vectors are from zero. All of it is fp32, in any storage
//   geometry  a block has 128 vectors and a part of the codes, 64 at a time, in the tiles of linearsimt.cuh; a thread has 8 x 8 distances and the nearest code
//             so far of 8 vectors. Parts leave distance and code in a workspace [parts,M] and nearestcode_finish takes the least in order
// Deterministic: a distance is one chain in the order of d whatever the tile; comparisons have no order.
#include "linearsimt.cuh"

struct NearestCodeArguments
{
    const float* x;
    const float* codebook;
    int* codes;
    float* partDistances; // null where there is one part
    int* partCodes;
    int64 xStride;
    int64 codebookStride;
    int rows;
    int codeCount;
    int width;
    int partSize;
    int parts;
    int xVectors;
    int codebookVectors;
};

struct SquaredDifference
{
    static __device__ __forceinline__ float add(float chain, float x, float w)
    {
        float difference = x - w;
        return fmaf(difference, difference, chain);
    }
};

// Takes a candidate that is nearer, or as near and lower.
__device__ __forceinline__ void nearestcode_take(float distance, int code, float& nearest, int& at)
{
    if (distance < nearest || (distance == nearest && code < at))
    {
        nearest = distance;
        at = code;
    }
}

extern "C" __global__ void __launch_bounds__(SIMT_THREADS, 2) nearestcode(const NearestCodeArguments a)
{
    __shared__ __align__(16) SimtTiles tiles;
    int firstRow = blockIdx.x * SIMT_ROWS;
    int begin = blockIdx.y * a.partSize, end = min(begin + a.partSize, a.codeCount);
    int steps = (a.width + SIMT_STEP - 1) / SIMT_STEP;
    float nearest[8];
    int at[8];
#pragma unroll
    for (int r = 0; r < 8; r++)
    {
        nearest[r] = INFINITY;
        at[r] = begin;
    }

    for (int code = begin; code < end; code += SIMT_COLUMNS)
    {
        SimtOperand<SIMT_ROWS, true> left(a.x, a.xStride, a.xVectors, firstRow, a.rows, 0, a.width);
        SimtOperand<SIMT_COLUMNS, true> right(a.codebook, a.codebookStride, a.codebookVectors, code, a.codeCount, 0, a.width);
        float distance[8][8];
        simt_sums<SquaredDifference>(left, right, steps, tiles, distance);
        __syncthreads();
#pragma unroll
        for (int c = 0; c < 8; c++)
        {
            int candidate = code + simt_column() + c % 4 + c / 4 * 32;
#pragma unroll
            for (int r = 0; r < 8; r++)
            {
                if (candidate < end && distance[r][c] < nearest[r])
                {
                    nearest[r] = distance[r][c];
                    at[r] = candidate;
                }
            }
        }
    }

#pragma unroll
    for (int r = 0; r < 8; r++)
    {
#pragma unroll
        for (int offset = 4; offset > 0; offset >>= 1)
        {
            float distance = __shfl_xor_sync(WHOLE_WARP, nearest[r], offset);
            int candidate = __shfl_xor_sync(WHOLE_WARP, at[r], offset);
            nearestcode_take(distance, candidate, nearest[r], at[r]);
        }

        int row = firstRow + simt_row() + r % 4 + r / 4 * 64;
        if (threadIdx.x % 8 == 0 && row < a.rows)
        {
            if (a.parts == 1)
            {
                a.codes[row] = at[r];
            }
            else
            {
                int64 place = (int64)blockIdx.y * a.rows + row;
                a.partDistances[place] = nearest[r];
                a.partCodes[place] = at[r];
            }
        }
    }
}

extern "C" __global__ void __launch_bounds__(256) nearestcode_finish(const NearestCodeArguments a)
{
    int row = blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= a.rows)
    {
        return;
    }

    float nearest = a.partDistances[row];
    int at = a.partCodes[row];
    for (int part = 1; part < a.parts; part++)
    {
        int64 place = (int64)part * a.rows + row;
        nearestcode_take(a.partDistances[place], a.partCodes[place], nearest, at);
    }

    a.codes[row] = at;
}
