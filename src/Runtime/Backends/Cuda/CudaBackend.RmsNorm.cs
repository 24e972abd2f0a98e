using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
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

        bool vectors = HasVectors(x) && HasVectors(y) && HasVectors(weight);
        Launch(
            RmsNormForward[x.Type],
            Dim3.Of(Blocks(x.Rows, RowForwardChunk)),
            new Dim3(RowForwardBlock),
            new RmsNormArguments(
                x.Address,
                weight.Address,
                y.Address,
                rstd.Address,
                x.LiveRows,
                x.RowStride,
                y.RowStride,
                x.Rows,
                x.Columns,
                epsilon,
                Flag(vectors)
            )
        );
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

        if (x.Rows == 0)
        {
            return;
        }

        bool vectors = HasVectors(x) && HasVectors(dy) && HasVectors(dx) && HasVectors(weight);
        int chunk = RowsPerChunk(x.Rows);
        int blocks = (int)Blocks(x.Rows, chunk);
        nint partials = dweight.IsNone ? 0 : _workspace.Take(RmsNormBackwardWorkspace(x));
        Launch(
            RmsNormBackwardKernel[x.Type],
            Dim3.Of(blocks),
            new Dim3((uint)RowBackwardThreads(x.Columns, vectors)),
            new RmsNormBackwardArguments(
                dy.Address,
                x.Address,
                weight.Address,
                rstd.Address,
                dx.Address,
                partials,
                dy.RowStride,
                x.RowStride,
                dx.RowStride,
                x.Rows,
                x.Columns,
                chunk,
                Flag(accumulate),
                Flag(vectors)
            )
        );
        if (partials != 0)
        {
            ColumnSum(partials, blocks, dweight.Reshape(new Shape(1, x.Columns)));
        }
    }

    /// <summary>Bytes that <see cref="RmsNormBackward"/> takes for partial results of the weight's gradient.</summary>
    internal static long RmsNormBackwardWorkspace(Tensor x) => Blocks(x.Rows, RowsPerChunk(x.Rows)) * x.Columns * sizeof(float);

    private readonly record struct RmsNormArguments(
        nint X,
        nint Weight,
        nint Y,
        nint Rstd,
        nint Live,
        long XStride,
        long YStride,
        int Rows,
        int Columns,
        float Epsilon,
        int Vectors
    );

    private readonly record struct RmsNormBackwardArguments(
        nint Dy,
        nint X,
        nint Weight,
        nint Rstd,
        nint Dx,
        nint Partials,
        long DyStride,
        long XStride,
        long DxStride,
        int Rows,
        int Columns,
        int Chunk,
        int Accumulate,
        int Vectors
    );
}
