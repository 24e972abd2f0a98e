// 3x3 convolutions without tensor cores in fp32, and of bf16 maps or weights that have no 16-byte runs, element by element. See conv3x3.cu for formula, floor
// and geometry.
#include "conv3x3.cuh"

extern "C" __global__ void __launch_bounds__(SIMT_THREADS, 2) conv3x3any_f32(const Conv3x3Arguments arguments)
{
    __shared__ __align__(16) SimtTiles tiles;
    const LinearArguments& a = arguments.product;
    int i, j;
    linear_tile((a.rows + SIMT_ROWS - 1) / SIMT_ROWS, (a.columns + SIMT_COLUMNS - 1) / SIMT_COLUMNS, i, j);
    int firstRow = i * SIMT_ROWS, firstColumn = j * SIMT_COLUMNS;
    SimtPatches left(a.a, arguments.patch, a.aVectors, firstRow, a.rows);
    SimtOperand<SIMT_COLUMNS, true> right(conv3x3_weights<float>(a), a.bStride, a.bVectors, firstColumn, a.columns, 0, a.depth);
    float sum[8][8];
    simt_sums(left, right, (a.depth + SIMT_STEP - 1) / SIMT_STEP, tiles, sum);
    simt_results(a, sum, a.rows, firstRow, firstColumn, PatchRow{arguments.patch.outWidth, arguments.patch.doubled});
}

#if HAS_BF16
extern "C" __global__ void __launch_bounds__(LinearSmall::THREADS, 4) conv3x3any_bf16(const Conv3x3Arguments a)
{
    using S = LinearSmall;
    conv3x3_mma<S, AnyPatches<S::BM, S::THREADS>, AnyOperand<S::BN, S::THREADS>>(a);
}
#endif
