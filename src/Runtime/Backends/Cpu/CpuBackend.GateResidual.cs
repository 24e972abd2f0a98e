using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.GateResidual"/>
    public void GateResidual(Tensor residual, Tensor branch, Tensor gate, Tensor y)
    {
        if (gate.IsNone)
        {
            Add(residual, branch, y);
            return;
        }

        Require.Matrix(residual, -1, -1);
        Require.Matrix(branch, residual.Rows, residual.Columns);
        Require.Matrix(y, residual.Rows, residual.Columns);
        Require.Matrix(gate, -1, residual.Columns);
        GateResidualKernel kernel = new()
        {
            Residual = residual.F32,
            ResidualStride = residual.RowStride,
            Branch = branch.F32,
            BranchStride = branch.RowStride,
            Gate = gate.F32,
            GateStride = gate.RowStride,
            Y = y.F32,
            YStride = y.RowStride,
            Columns = residual.Columns,
            RowsPerImage = RowsPerImage(residual, gate, nameof(gate)),
        };
        _team.For(residual.Rows, &GateResidualKernel.Forward, &kernel, RowGrain(residual.Columns));
    }

    /// <inheritdoc cref="IBackend.GateResidualBackward"/>
    public void GateResidualBackward(Tensor dy, Tensor branch, Tensor gate, Tensor dbranch, Tensor dgate)
    {
        Require.Matrix(dy, -1, -1);
        if (!dbranch.IsNone)
        {
            Require.Matrix(dbranch, dy.Rows, dy.Columns);
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

        Require.Matrix(gate, -1, dy.Columns);
        Require.Matrix(branch, dy.Rows, dy.Columns);
        Require.Matrix(dgate, gate.Rows, dy.Columns);
        int rowsPerImage = RowsPerImage(dy, gate, nameof(gate));
        if (dy.Rows == 0)
        {
            return;
        }

        int blocks = ColumnSums.Blocks(rowsPerImage);
        GateResidualKernel kernel = new()
        {
            Y = dy.F32,
            YStride = dy.RowStride,
            Branch = branch.F32,
            BranchStride = branch.RowStride,
            Gate = gate.F32,
            GateStride = gate.RowStride,
            Dbranch = dbranch.F32,
            DbranchStride = dbranch.RowStride,
            Partials = (float*)_team.Scratch(0, (nuint)gate.Rows * (nuint)blocks * (nuint)dy.Columns * sizeof(float)),
            Columns = dy.Columns,
            RowsPerImage = rowsPerImage,
        };
        _team.For(gate.Rows * blocks, &GateResidualKernel.Backward, &kernel, BlockGrain(dy.Columns));
        ColumnSums.Accumulate(_team, kernel.Partials, gate.Rows, blocks, 1, dy.Columns, dgate);
    }

    private struct GateResidualKernel
    {
        public float* Residual, Branch, Gate, Y, Dbranch, Partials;
        public int ResidualStride, BranchStride, GateStride, YStride, DbranchStride, Columns, RowsPerImage;

        public static void Forward(void* state, int start, int end, int worker)
        {
            GateResidualKernel k = *(GateResidualKernel*)state;
            int columns = k.Columns;
            for (int row = start; row < end; row++)
            {
                float* residual = k.Residual + ((nint)row * k.ResidualStride);
                float* branch = k.Branch + ((nint)row * k.BranchStride);
                float* gate = k.Gate + ((nint)(row / k.RowsPerImage) * k.GateStride);
                float* y = k.Y + ((nint)row * k.YStride);

                // Fused, because the epilogue of the matrix product fuses it too and both must give the same bits.
                int c = 0;
                for (; c <= columns - Lanes.Count; c += Lanes.Count)
                {
                    Vector512.FusedMultiplyAdd(Vector512.Load(gate + c), Vector512.Load(branch + c), Vector512.Load(residual + c)).Store(y + c);
                }

                for (; c < columns; c++)
                {
                    y[c] = MathF.FusedMultiplyAdd(gate[c], branch[c], residual[c]);
                }
            }
        }

        public static void Backward(void* state, int start, int end, int worker)
        {
            GateResidualKernel k = *(GateResidualKernel*)state;
            int blocks = ColumnSums.Blocks(k.RowsPerImage);
            int columns = k.Columns;
            for (int item = start; item < end; item++)
            {
                int image = item / blocks;
                int first = item % blocks * ColumnSums.BlockRows;
                int last = Math.Min(k.RowsPerImage, first + ColumnSums.BlockRows);
                float* gate = k.Gate + ((nint)image * k.GateStride);
                float* sums = k.Partials + ((nint)item * columns);
                new Span<float>(sums, columns).Clear();
                for (nint row = ((nint)image * k.RowsPerImage) + first; row < ((nint)image * k.RowsPerImage) + last; row++)
                {
                    float* dy = k.Y + (row * k.YStride);
                    float* branch = k.Branch + (row * k.BranchStride);
                    float* dbranch = k.Dbranch == null ? null : k.Dbranch + (row * k.DbranchStride);
                    int c = 0;
                    for (; c <= columns - Lanes.Count; c += Lanes.Count)
                    {
                        Vector512<float> d = Vector512.Load(dy + c);
                        Vector512.FusedMultiplyAdd(d, Vector512.Load(branch + c), Vector512.Load(sums + c)).Store(sums + c);
                        if (dbranch != null)
                        {
                            (d * Vector512.Load(gate + c)).Store(dbranch + c);
                        }
                    }

                    for (; c < columns; c++)
                    {
                        float d = dy[c];
                        sums[c] = MathF.FusedMultiplyAdd(d, branch[c], sums[c]);
                        if (dbranch != null)
                        {
                            dbranch[c] = d * gate[c];
                        }
                    }
                }
            }
        }
    }
}
