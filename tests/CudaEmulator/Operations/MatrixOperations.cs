using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>
/// mma.sync: D = A B + C with exact products, summed in fp32 (fp64, integers) in the order of the inner dimension, each step rounded once.
/// Tensor cores keep more or fewer bits on the way and sum in another order; their last bits are not reproduced.
/// </summary>
internal static unsafe class MatrixOperations
{
    private const string Name = "mma.sync";

    /// <summary>Any shape; the description is object Extra.</summary>
    public static Instr* Multiply(Warp warp, Instr* at)
    {
        Instr* waits = WarpOperations.WholeWarp(warp, at, Name);
        if (waits != null)
        {
            return waits;
        }

        var m = (MatrixMultiply)warp.Launch.Code.Objects[at->Extra];
        Count(warp, m);
        if (m.ElementA == MatrixElement.Real)
        {
            Real(warp, m);
        }
        else if (m.ElementA is MatrixElement.Signed8 or MatrixElement.Unsigned8)
        {
            Integer(warp, m);
        }
        else
        {
            Float(warp, m);
        }

        return at + 1;
    }

    /// <summary>m16n8k16 and m16n8k8 of 16-bit elements with fp32 sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* MultiplyHalf<TFormat>(Warp warp, Instr* at)
        where TFormat : struct, IHalfVector
    {
        Instr* waits = WarpOperations.WholeWarp(warp, at, Name);
        if (waits != null)
        {
            return waits;
        }

        var m = (MatrixMultiply)warp.Launch.Code.Objects[at->Extra];
        Count(warp, m);
        byte* r = warp.R;
        float* a = (float*)warp.Scratch;
        float* b = a + (16 * 16);

        // a: for each k the 16 rows. b: for each register its low, then its high halves, by lane.
        for (int half = 0; half < m.B.Length; half++)
        {
            float* rows = a + (half * 8 * 16);
            for (int t = 0; t < 4; t += 2)
            {
                Columns(r + m.A[2 * half], r + m.A[(2 * half) + 1], t, out Vector512<uint> first, out Vector512<uint> second);
                TFormat.Low(first).StoreAligned(rows + (32 * t));
                TFormat.High(first).StoreAligned(rows + (32 * t) + 16);
                TFormat.Low(second).StoreAligned(rows + (32 * t) + 32);
                TFormat.High(second).StoreAligned(rows + (32 * t) + 48);
            }

            byte* source = r + m.B[half];
            float* target = b + (64 * half);
            TFormat.Low(LaneVectors.Low(source)).StoreAligned(target);
            TFormat.Low(LaneVectors.High(source)).StoreAligned(target + 16);
            TFormat.High(LaneVectors.Low(source)).StoreAligned(target + 32);
            TFormat.High(LaneVectors.High(source)).StoreAligned(target + 48);
        }

        Columns(r + m.C[0], r + m.C[2], 0, out Vector512<uint> u0, out Vector512<uint> u2);
        Columns(r + m.C[0], r + m.C[2], 2, out Vector512<uint> u4, out Vector512<uint> u6);
        Columns(r + m.C[1], r + m.C[3], 0, out Vector512<uint> u1, out Vector512<uint> u3);
        Columns(r + m.C[1], r + m.C[3], 2, out Vector512<uint> u5, out Vector512<uint> u7);
        (Vector512<float> s0, Vector512<float> s1, Vector512<float> s2, Vector512<float> s3) = (
            u0.AsSingle(),
            u1.AsSingle(),
            u2.AsSingle(),
            u3.AsSingle()
        );
        (Vector512<float> s4, Vector512<float> s5, Vector512<float> s6, Vector512<float> s7) = (
            u4.AsSingle(),
            u5.AsSingle(),
            u6.AsSingle(),
            u7.AsSingle()
        );
        int depth = m.Depth;
        for (int k = 0; k < depth; k++)
        {
            Vector512<float> column = Vector512.LoadAligned(a + (16 * k));
            float* row = b + (64 * (k >> 3)) + (32 * (k & 1)) + ((k & 7) >> 1);
            s0 = Vector512.FusedMultiplyAdd(column, Vector512.Create(row[0]), s0);
            s1 = Vector512.FusedMultiplyAdd(column, Vector512.Create(row[4]), s1);
            s2 = Vector512.FusedMultiplyAdd(column, Vector512.Create(row[8]), s2);
            s3 = Vector512.FusedMultiplyAdd(column, Vector512.Create(row[12]), s3);
            s4 = Vector512.FusedMultiplyAdd(column, Vector512.Create(row[16]), s4);
            s5 = Vector512.FusedMultiplyAdd(column, Vector512.Create(row[20]), s5);
            s6 = Vector512.FusedMultiplyAdd(column, Vector512.Create(row[24]), s6);
            s7 = Vector512.FusedMultiplyAdd(column, Vector512.Create(row[28]), s7);
        }

        Lanes(s0, s2, s4, s6, r + m.D[0], r + m.D[2]);
        Lanes(s1, s3, s5, s7, r + m.D[1], r + m.D[3]);
        return at + 1;
    }

    /// <summary>movmatrix: A transposed as an 8 x 8 matrix of 16-bit elements.</summary>
    public static Instr* Transpose(Warp warp, Instr* at)
    {
        Instr* waits = WarpOperations.WholeWarp(warp, at, "movmatrix");
        if (waits != null)
        {
            return waits;
        }

        ushort* from = (ushort*)(warp.R + at->A);
        ushort* result = stackalloc ushort[64];
        for (int i = 0; i < 64; i++)
        {
            result[(8 * (i % 8)) + (i / 8)] = from[i];
        }

        new ReadOnlySpan<ushort>(result, 64).CopyTo(new Span<ushort>(warp.R + at->D, 64));
        return at + 1;
    }

    private static void Count(Warp warp, MatrixMultiply m)
    {
        warp.Counters->TensorOperations++;
        warp.Counters->TensorFlops += m.Flops;
    }

    /// <summary>
    /// Of two registers, rows 0 to 7 and rows 8 to 15, the 16 values of lanes 4g + t, and of lanes 4g + t + 1.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Columns(byte* upper, byte* lower, int t, out Vector512<uint> first, out Vector512<uint> second)
    {
        Vector512<uint> pick = Vector512.Create(0u, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29) + Vector512.Create((uint)t);
        Vector512<uint> x = Avx512F.PermuteVar16x32x2(LaneVectors.Low(upper), pick, LaneVectors.High(upper));
        Vector512<uint> y = Avx512F.PermuteVar16x32x2(LaneVectors.Low(lower), pick, LaneVectors.High(lower));
        first = Vector512.Create(x.GetLower(), y.GetLower());
        second = Vector512.Create(x.GetUpper(), y.GetUpper());
    }

    /// <summary>The opposite of <see cref="Columns"/>: four columns t of 16 rows back to lanes 4g + t of two registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Lanes(Vector512<float> c0, Vector512<float> c1, Vector512<float> c2, Vector512<float> c3, byte* upper, byte* lower)
    {
        Vector512<uint> pick = Vector512.Create(0u, 8, 16, 24, 1, 9, 17, 25, 2, 10, 18, 26, 3, 11, 19, 27);
        Vector512<uint> next = pick + Vector512.Create(4u);
        Vector512<float> u0 = Vector512.Create(c0.GetLower(), c1.GetLower());
        Vector512<float> u1 = Vector512.Create(c2.GetLower(), c3.GetLower());
        Vector512<float> l0 = Vector512.Create(c0.GetUpper(), c1.GetUpper());
        Vector512<float> l1 = Vector512.Create(c2.GetUpper(), c3.GetUpper());
        Avx512F.PermuteVar16x32x2(u0, pick.AsInt32(), u1).StoreAligned((float*)upper);
        Avx512F.PermuteVar16x32x2(u0, next.AsInt32(), u1).StoreAligned((float*)upper + 16);
        Avx512F.PermuteVar16x32x2(l0, pick.AsInt32(), l1).StoreAligned((float*)lower);
        Avx512F.PermuteVar16x32x2(l0, next.AsInt32(), l1).StoreAligned((float*)lower + 16);
    }

    private static void Float(Warp warp, MatrixMultiply m)
    {
        float* a = (float*)warp.Scratch;
        float* b = a + (16 * 64);
        float* c = b + (64 * 8);
        int p = m.PerRegister;
        for (int lane = 0; lane < 32; lane++)
        {
            (int g, int t) = (lane >> 2, lane & 3);
            for (int reg = 0; reg < m.A.Length; reg++)
            {
                uint bits = ((uint*)(warp.R + m.A[reg]))[lane];
                for (int s = 0; s < p; s++)
                {
                    a[((g + (8 * (reg & 1))) * m.Depth) + (t * p) + s + ((reg >> 1) * 4 * p)] = Element(m.ElementA, bits, s);
                }
            }

            for (int reg = 0; reg < m.B.Length; reg++)
            {
                uint bits = ((uint*)(warp.R + m.B[reg]))[lane];
                for (int s = 0; s < p; s++)
                {
                    b[(((t * p) + s + (reg * 4 * p)) * 8) + g] = Element(m.ElementB, bits, s);
                }
            }

            for (int i = 0; i < 4; i++)
            {
                int place = ((g + (8 * (i >> 1))) * 8) + (2 * t) + (i & 1);
                c[place] = m.HalfSums
                    ? Float16.ToSingle((((uint*)(warp.R + m.C[i >> 1]))[lane] >> (16 * (i & 1))) & 0xFFFF)
                    : ((float*)(warp.R + m.C[i]))[lane];
            }
        }

        for (int row = 0; row < m.Rows; row++)
        {
            for (int column = 0; column < 8; column++)
            {
                float sum = c[(row * 8) + column];
                for (int k = 0; k < m.Depth; k++)
                {
                    sum = MathF.FusedMultiplyAdd(a[(row * m.Depth) + k], b[(k * 8) + column], sum);
                }

                c[(row * 8) + column] = sum;
            }
        }

        for (int lane = 0; lane < 32; lane++)
        {
            (int g, int t) = (lane >> 2, lane & 3);
            for (int row = 0; row < 2; row++)
            {
                float* pair = c + ((g + (8 * row)) * 8) + (2 * t);
                if (m.HalfSums)
                {
                    ((uint*)(warp.R + m.D[row]))[lane] = Float16.FromSingle(pair[0]) | (Float16.FromSingle(pair[1]) << 16);
                }
                else
                {
                    ((float*)(warp.R + m.D[2 * row]))[lane] = pair[0];
                    ((float*)(warp.R + m.D[(2 * row) + 1]))[lane] = pair[1];
                }
            }
        }
    }

    private static float Element(MatrixElement element, uint bits, int s) => element switch
    {
        MatrixElement.Half => Float16.ToSingle((bits >> (16 * s)) & 0xFFFF),
        MatrixElement.BFloat => BFloat16.ToSingle((bits >> (16 * s)) & 0xFFFF),

        // Tensor cores look at the upper 19 bits only.
        _ => BitConverter.UInt32BitsToSingle(bits & 0xFFFFE000),
    };

    private static void Integer(Warp warp, MatrixMultiply m)
    {
        int* a = (int*)warp.Scratch;
        int* b = a + (16 * 64);
        long* c = (long*)(b + (64 * 8));
        int sums = m.C.Length;
        for (int lane = 0; lane < 32; lane++)
        {
            (int g, int t) = (lane >> 2, lane & 3);
            for (int reg = 0; reg < m.A.Length; reg++)
            {
                uint bits = ((uint*)(warp.R + m.A[reg]))[lane];
                for (int s = 0; s < 4; s++)
                {
                    a[((g + (8 * (reg & 1))) * m.Depth) + (t * 4) + s + ((reg >> 1) * 16)] = Byte(m.ElementA, bits, s);
                }
            }

            for (int reg = 0; reg < m.B.Length; reg++)
            {
                uint bits = ((uint*)(warp.R + m.B[reg]))[lane];
                for (int s = 0; s < 4; s++)
                {
                    b[(((t * 4) + s + (reg * 16)) * 8) + g] = Byte(m.ElementB, bits, s);
                }
            }

            for (int i = 0; i < sums; i++)
            {
                c[((g + (8 * (i >> 1))) * 8) + (2 * t) + (i & 1)] = ((int*)(warp.R + m.C[i]))[lane];
            }
        }

        for (int row = 0; row < m.Rows; row++)
        {
            for (int column = 0; column < 8; column++)
            {
                for (int k = 0; k < m.Depth; k++)
                {
                    c[(row * 8) + column] += a[(row * m.Depth) + k] * b[(k * 8) + column];
                }
            }
        }

        for (int lane = 0; lane < 32; lane++)
        {
            (int g, int t) = (lane >> 2, lane & 3);
            for (int i = 0; i < sums; i++)
            {
                long sum = c[((g + (8 * (i >> 1))) * 8) + (2 * t) + (i & 1)];
                ((int*)(warp.R + m.D[i]))[lane] = (int)(m.Saturates ? Math.Clamp(sum, int.MinValue, int.MaxValue) : sum);
            }
        }
    }

    private static int Byte(MatrixElement element, uint bits, int s) =>
        element == MatrixElement.Signed8 ? (sbyte)(bits >> (8 * s)) : (byte)(bits >> (8 * s));

    private static void Real(Warp warp, MatrixMultiply m)
    {
        double* a = (double*)warp.Scratch;
        double* b = a + (16 * 16);
        double* c = b + (16 * 8);
        int sums = m.C.Length;
        for (int lane = 0; lane < 32; lane++)
        {
            (int g, int t) = (lane >> 2, lane & 3);
            for (int reg = 0; reg < m.A.Length; reg++)
            {
                a[((g + (8 * (reg & 1))) * m.Depth) + t + ((reg >> 1) * 4)] = ((double*)(warp.D + m.A[reg]))[lane];
            }

            for (int reg = 0; reg < m.B.Length; reg++)
            {
                b[((t + (reg * 4)) * 8) + g] = ((double*)(warp.D + m.B[reg]))[lane];
            }

            for (int i = 0; i < sums; i++)
            {
                c[((g + (8 * (i >> 1))) * 8) + (2 * t) + (i & 1)] = ((double*)(warp.D + m.C[i]))[lane];
            }
        }

        for (int row = 0; row < m.Rows; row++)
        {
            for (int column = 0; column < 8; column++)
            {
                for (int k = 0; k < m.Depth; k++)
                {
                    c[(row * 8) + column] = Math.FusedMultiplyAdd(a[(row * m.Depth) + k], b[(k * 8) + column], c[(row * 8) + column]);
                }
            }
        }

        for (int lane = 0; lane < 32; lane++)
        {
            (int g, int t) = (lane >> 2, lane & 3);
            for (int i = 0; i < sums; i++)
            {
                ((double*)(warp.D + m.D[i]))[lane] = c[((g + (8 * (i >> 1))) * 8) + (2 * t) + (i & 1)];
            }
        }
    }
}

/// <summary>Pairs of 16-bit floats as fp32 vectors.</summary>
internal interface IHalfVector
{
    static abstract Vector512<float> Low(Vector512<uint> pairs);

    static abstract Vector512<float> High(Vector512<uint> pairs);
}

/// <summary>Pairs of bf16.</summary>
internal readonly struct BFloat16Vector : IHalfVector
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Low(Vector512<uint> pairs) => (pairs << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> High(Vector512<uint> pairs) => (pairs & Vector512.Create(0xFFFF0000u)).AsSingle();
}

/// <summary>Pairs of fp16.</summary>
internal readonly struct Float16Vector : IHalfVector
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Low(Vector512<uint> pairs) => Widen(pairs & Vector512.Create(0xFFFFu));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> High(Vector512<uint> pairs) => Widen(pairs >> 16);

    /// <summary>fp16 in the low halves to fp32; see <see cref="Float16.ToSingle"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Widen(Vector512<uint> half)
    {
        Vector512<uint> magnitude = half & Vector512.Create(0x7FFFu);
        Vector512<uint> number = ((magnitude << 13).AsSingle() * Vector512.Create(5.192296858534828e33f)).AsUInt32();
        Vector512<uint> special = Vector512.Create(0x7F800000u) | ((magnitude & Vector512.Create(0x3FFu)) << 13);
        Vector512<uint> bits = Vector512.ConditionalSelect(Vector512.GreaterThanOrEqual(magnitude, Vector512.Create(0x7C00u)), special, number);
        return (bits | ((half & Vector512.Create(0x8000u)) << 16)).AsSingle();
    }
}
