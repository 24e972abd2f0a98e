using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    private const int SquaredNormBlock = 8192;

    /// <inheritdoc cref="IBackend.SquaredNorm"/>
    public void SquaredNorm(Tensor x, Tensor sum, bool accumulate = false)
    {
        long count = x.Shape.Count;
        Require.Count(x, count);
        Require.Count(sum, 1, ElementType.Float64);
        int blocks = checked((int)((count + SquaredNormBlock - 1) / SquaredNormBlock));

        // One sum per block of fixed size, added up in block order: nothing depends on which worker made which sum.
        double* sums = (double*)_team.Scratch(0, (nuint)Math.Max(1, blocks) * sizeof(double));
        SquaredNormArguments a = new() { Count = count, X = x.F32, Sums = sums };
        _team.For(blocks, &SquaredNormBlocks, &a, 4);
        double total = 0;
        for (int i = 0; i < blocks; i++)
        {
            total += sums[i];
        }

        *(double*)sum.Address = accumulate ? *(double*)sum.Address + total : total;
    }

    private static void SquaredNormBlocks(void* state, int start, int end, int worker)
    {
        SquaredNormArguments* a = (SquaredNormArguments*)state;
        for (int block = start; block < end; block++)
        {
            long first = (long)block * SquaredNormBlock;
            a->Sums[block] = SumOfSquares(a->X + first, (int)Math.Min(SquaredNormBlock, a->Count - first));
        }
    }

    private static double SumOfSquares(float* x, int count)
    {
        Vector512<double> s0 = Vector512<double>.Zero;
        Vector512<double> s1 = s0;
        Vector512<double> s2 = s0;
        Vector512<double> s3 = s0;
        int i = 0;
        for (; i + 32 <= count; i += 32)
        {
            (Vector512<double> a, Vector512<double> b) = Vector512.Widen(Vector512.Load(x + i));
            (Vector512<double> c, Vector512<double> d) = Vector512.Widen(Vector512.Load(x + i + 16));
            s0 = Vector512.FusedMultiplyAdd(a, a, s0);
            s1 = Vector512.FusedMultiplyAdd(b, b, s1);
            s2 = Vector512.FusedMultiplyAdd(c, c, s2);
            s3 = Vector512.FusedMultiplyAdd(d, d, s3);
        }

        Vector512<double> s = s0 + s1 + (s2 + s3);
        double total = 0;
        for (int lane = 0; lane < 8; lane++)
        {
            total += s[lane];
        }

        for (; i < count; i++)
        {
            total += (double)x[i] * x[i];
        }

        return total;
    }

    private struct SquaredNormArguments
    {
        public long Count;
        public float* X;
        public double* Sums;
    }
}
