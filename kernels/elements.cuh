// Element-wise kernels on matrices whose rows may stand apart: which elements a thread owns. blockDim.x threads lie side by side on a row
// and own 16 bytes each, or one element where the addresses do not allow 16 bytes; blockDim.y rows are under way at once. A tensor
// whose rows are adjacent is one long row.
#pragma once

#include "common.cuh"

struct ElementGrid
{
    int64 rows;
    int64 columns;
    int vectors;
};

// Calls body.at<N>(row, column) for every run of N adjacent elements that this thread owns: N fills 16 bytes of T, or is 1.
template <typename T, typename Body>
__device__ __forceinline__ void for_each_run(const ElementGrid& grid, const Body& body)
{
    constexpr int N = Wide<T>::count;
    int owned = grid.vectors ? N : 1;
    int64 first = ((int64)blockIdx.x * blockDim.x + threadIdx.x) * owned;
    int64 last = min(first + owned, grid.columns);
    for (int64 row = blockIdx.y * blockDim.y + threadIdx.y; row < grid.rows; row += gridDim.y * blockDim.y)
    {
        if (last - first == N)
        {
            body.template at<N>(row, first);
        }
        else
        {
            for (int64 column = first; column < last; column++)
            {
                body.template at<1>(row, column);
            }
        }
    }
}
