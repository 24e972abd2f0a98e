using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    /// <summary>Rows of a thread that keeps its gates: those are few bytes beside the rows.</summary>
    private const int GateRows = 16;

    private static readonly StorageKernelName<GateResidualArguments> GateResidualForward = new("gateresidual", "gateresidual_forward");
    private static readonly StorageKernelName<GateResidualBackwardArguments> GateResidualBackwardKernel = new(
        "gateresidual",
        "gateresidual_backward"
    );

    /// <inheritdoc cref="IBackend.GateResidual"/>
    public void GateResidual(Tensor residual, Tensor branch, Tensor gate, Tensor y)
    {
        if (gate.IsNone)
        {
            Add(residual, branch, y);
            return;
        }

        Require.Storage(residual);
        Require.Matrix(branch, residual.Rows, residual.Columns, residual.Type);
        Require.Matrix(y, residual.Rows, residual.Columns, residual.Type);
        Require.Matrix(gate, -1, residual.Columns, residual.Type);
        int imageRows = RowsPerImage(residual, gate, nameof(gate));
        if (residual.Shape.Count == 0)
        {
            return;
        }

        bool vectors = HasVectors(residual) && HasVectors(branch) && HasVectors(y) && HasVectors(gate);
        int run = vectors ? RunLength(residual.Type) : 1;
        uint across = ThreadsAcross(residual.Columns, run);
        uint down = Math.Max(1, 256 / across);
        int chunk = GateRows * (int)down;
        Launch(
            GateResidualForward[residual.Type],
            Dim3.Of(Blocks(residual.Columns, across * run), Blocks(imageRows, chunk), gate.Rows),
            new Dim3(across, down),
            new GateResidualArguments(
                residual.Address,
                branch.Address,
                gate.Address,
                y.Address,
                residual.RowStride,
                branch.RowStride,
                gate.RowStride,
                y.RowStride,
                imageRows,
                residual.Columns,
                chunk,
                Flag(vectors)
            )
        );
    }

    /// <inheritdoc cref="IBackend.GateResidualBackward"/>
    public void GateResidualBackward(Tensor dy, Tensor branch, Tensor gate, Tensor dbranch, Tensor dgate)
    {
        Require.Storage(dy);
        if (!dbranch.IsNone)
        {
            Require.Matrix(dbranch, dy.Rows, dy.Columns, dy.Type);
        }

        if (gate.IsNone)
        {
            Require.That(dgate.IsNone, nameof(dgate), dgate, "none, as there is no gate");
            if (!dbranch.IsNone && dbranch.Address != dy.Address)
            {
                Copy(dy, dbranch);
            }

            return;
        }

        Require.Matrix(gate, -1, dy.Columns, dy.Type);
        Require.Matrix(branch, dy.Rows, dy.Columns, dy.Type);
        Require.Matrix(dgate, gate.Rows, dy.Columns);
        int imageRows = RowsPerImage(dy, gate, nameof(gate));
        if (dy.Shape.Count == 0)
        {
            return;
        }

        bool vectors = HasVectors(dy) && HasVectors(branch) && HasVectors(gate) && (dbranch.IsNone || HasVectors(dbranch));
        int run = vectors ? RunLength(dy.Type) : 1;
        uint across = ThreadsAcross(dy.Columns, run);
        int chunk = RowsPerChunk(imageRows);
        int chunks = (int)Blocks(imageRows, chunk);
        nint partials = _workspace.Take(GateResidualBackwardWorkspace(dy, gate));
        Launch(
            GateResidualBackwardKernel[dy.Type],
            Dim3.Of(Blocks(dy.Columns, across * run), chunks, gate.Rows),
            new Dim3(across),
            new GateResidualBackwardArguments(
                dy.Address,
                branch.Address,
                gate.Address,
                dbranch.Address,
                partials,
                dy.RowStride,
                branch.RowStride,
                gate.RowStride,
                dbranch.RowStride,
                imageRows,
                dy.Columns,
                chunk,
                Flag(vectors)
            )
        );
        ColumnSum(partials, chunks, dgate);
    }

    /// <summary>Bytes that <see cref="GateResidualBackward"/> takes for partial results of the gate's gradient.</summary>
    internal static long GateResidualBackwardWorkspace(Tensor dy, Tensor gate)
    {
        int imageRows = dy.Rows / gate.Rows;
        return gate.Rows * Blocks(imageRows, RowsPerChunk(imageRows)) * dy.Columns * sizeof(float);
    }

    private readonly record struct GateResidualArguments(
        nint Residual,
        nint Branch,
        nint Gate,
        nint Y,
        long ResidualStride,
        long BranchStride,
        long GateStride,
        long YStride,
        int ImageRows,
        int Columns,
        int Chunk,
        int Vectors
    );

    private readonly record struct GateResidualBackwardArguments(
        nint Dy,
        nint Branch,
        nint Gate,
        nint Dbranch,
        nint Partials,
        long DyStride,
        long BranchStride,
        long GateStride,
        long DbranchStride,
        int ImageRows,
        int Columns,
        int Chunk,
        int Vectors
    );
}
