using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private const int RmsNormChunk = 32;

    private static readonly StorageKernelName<RmsNormArguments> RmsNormForward = new("rmsnorm", "rmsnorm_forward");
    private static readonly StorageKernelName<RmsNormBackwardArguments> RmsNormBackwardKernel = new("rmsnorm", "rmsnorm_backward");

    /// <inheritdoc cref="IBackend.RmsNorm"/>
    public void RmsNorm(Tensor x, Tensor weight, Tensor y, Tensor rstd, float epsilon)
    {
        Require.Storage(x);
        Require.Matrix(y, x.Rows, x.Columns, x.Type);
        Require.Count(weight, x.Columns, x.Type);
        Require.Count(rstd, x.Rows);
        if (x.Rows == 0)
        {
            return;
        }

        Launch(RmsNormForward[x.Type], Dim3.Of(Blocks(x.Rows, RowsPerBlock(x))), new Dim3(RowBlock), new RmsNormArguments(x.Address, weight.Address, y.Address, rstd.Address,
            x.LiveRows, x.RowStride, y.RowStride, x.Rows, x.Columns, epsilon, Flag(HasVectors(x) && HasVectors(y) && HasVectors(weight))));
    }

    /// <inheritdoc cref="IBackend.RmsNormBackward"/>
    public void RmsNormBackward(Tensor dy, Tensor x, Tensor weight, Tensor rstd, Tensor dx, bool accumulate, Tensor dweight)
    {
        Require.Storage(x);
        Require.Matrix(dy, x.Rows, x.Columns, x.Type);
        Require.Matrix(dx, x.Rows, x.Columns, x.Type);
        Require.Count(weight, x.Columns, x.Type);
        Require.Count(rstd, x.Rows);
        if (!dweight.IsNone)
        {
            Require.Count(dweight, x.Columns);
        }

        int blocks = (int)Blocks(x.Rows, RmsNormChunk);
        if (blocks == 0)
        {
            return;
        }

        nint partials = dweight.IsNone ? 0 : _workspace.Take((long)blocks * x.Columns * sizeof(float));
        Launch(RmsNormBackwardKernel[x.Type], Dim3.Of(blocks), new Dim3(RowBlock), new RmsNormBackwardArguments(dy.Address, x.Address, weight.Address, rstd.Address, dx.Address,
            partials, dy.RowStride, x.RowStride, dx.RowStride, x.Rows, x.Columns, Flag(accumulate), Flag(HasVectors(x) && HasVectors(dy) && HasVectors(dx) && HasVectors(weight))));
        if (partials != 0)
        {
            ColumnSum(partials, blocks, new Tensor(dweight.Address, new Shape(1, x.Columns), dweight.Type));
        }
    }

    private readonly record struct RmsNormArguments(nint X, nint Weight, nint Y, nint Rstd, nint Live, long XStride, long YStride, int Rows, int Columns, float Epsilon, int Vectors);

    private readonly record struct RmsNormBackwardArguments(nint Dy, nint X, nint Weight, nint Rstd, nint Dx, nint Partials, long DyStride, long XStride, long DxStride, int Rows,
        int Columns, int Accumulate, int Vectors);
}
