using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>What happens to a product on its way to memory: bias, activation, gate and residual. Null pointers are absent parts.</summary>
internal unsafe struct LinearEpilogue
{
    public float* Y;
    public nint YStride;
    public float* Bias;
    public float* PreActivation;
    public nint PreActivationStride;
    public float* Residual;
    public nint ResidualStride;
    public float* Gate;
    public nint GateStride;
    public int RowsPerGate;
    public Activation Activation;

    /// <summary>
    /// Where not 0, rows are in lines of so many: row r is row r / LineRows · LinePitch + r % LineRows · RowPitch of y and residual.
    /// </summary>
    public int LineRows, LinePitch, RowPitch;

    /// <summary>Writes rows [row, row + rows) and columns [column, column + columns) of the result from a finished tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Store(float* tile, int row, int rows, int column, int columns)
    {
        for (int r = row; r < row + rows; r++, tile += MatrixTile.Columns)
        {
            nint at = LineRows == 0 ? r : (((nint)r / LineRows) * LinePitch) + (r % LineRows * RowPitch);
            float* bias = Bias == null ? null : Bias + column;
            float* pre = PreActivation == null ? null : PreActivation + (r * PreActivationStride) + column;
            float* residual = Residual == null ? null : Residual + (at * ResidualStride) + column;
            float* gate = Gate == null ? null : Gate + (r / RowsPerGate * GateStride) + column;
            float* y = Y + (at * YStride) + column;
            for (int j = 0; j < columns; j += 16)
            {
                Vector512<float> p = Vector512.Load(tile + j);
                int count = columns - j;
                if (count >= 16)
                {
                    p = bias == null ? p : p + Vector512.Load(bias + j);
                    if (pre != null)
                    {
                        p.Store(pre + j);
                    }

                    Vector512<float> a = ActivationMath.Value(p, Activation);
                    if (residual != null)
                    {
                        Vector512<float> old = Vector512.Load(residual + j);
                        a = gate == null ? old + a : Vector512.FusedMultiplyAdd(Vector512.Load(gate + j), a, old);
                    }
                    else if (gate != null)
                    {
                        a *= Vector512.Load(gate + j);
                    }

                    a.Store(y + j);
                }
                else
                {
                    p = bias == null ? p : p + Lanes.LoadTail(bias + j, count);
                    if (pre != null)
                    {
                        Lanes.StoreTail(p, pre + j, count);
                    }

                    Vector512<float> a = ActivationMath.Value(p, Activation);
                    if (residual != null)
                    {
                        Vector512<float> old = Lanes.LoadTail(residual + j, count);
                        a = gate == null ? old + a : Vector512.FusedMultiplyAdd(Lanes.LoadTail(gate + j, count), a, old);
                    }
                    else if (gate != null)
                    {
                        a *= Lanes.LoadTail(gate + j, count);
                    }

                    Lanes.StoreTail(a, y + j, count);
                }
            }
        }
    }
}
