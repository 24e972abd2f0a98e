using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>
/// Ends of rows that do not fill 16 lanes, and sums over a row. The order of every sum depends on the length of the row alone, so a
/// row has the same sum wherever it stands and whichever worker takes it.
/// </summary>
internal static unsafe class Lanes
{
    /// <summary>Lanes of a vector.</summary>
    public const int Count = 16;

    /// <summary>The first <paramref name="count"/> &lt;= 16 elements at <paramref name="p"/>, then zeros; reads nothing beyond them.</summary>
    public static Vector512<float> LoadTail(float* p, int count)
    {
        Vector512<float> v = Vector512<float>.Zero;
        float* lanes = (float*)&v;
        for (int i = 0; i < count; i++)
        {
            lanes[i] = p[i];
        }

        return v;
    }

    /// <summary>Writes the first <paramref name="count"/> &lt;= 16 lanes at <paramref name="p"/>.</summary>
    public static void StoreTail(Vector512<float> v, float* p, int count)
    {
        float* lanes = (float*)&v;
        for (int i = 0; i < count; i++)
        {
            p[i] = lanes[i];
        }
    }

    /// <summary>16 elements at <paramref name="p"/>, or the fewer that are left.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* p, int left) => left >= Count ? Vector512.Load(p) : LoadTail(p, left);

    /// <summary>Writes 16 elements at <paramref name="p"/>, or the fewer that are left.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> v, float* p, int left)
    {
        if (left >= Count)
        {
            v.Store(p);
        }
        else
        {
            StoreTail(v, p, left);
        }
    }

    /// <summary>Sum of the lanes by halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector512<float> v)
    {
        Vector256<float> eight = v.GetLower() + v.GetUpper();
        Vector128<float> four = eight.GetLower() + eight.GetUpper();
        four += Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1));
        return four.GetElement(0) + four.GetElement(1);
    }

    /// <summary>Largest lane; what a NaN lane gives is not defined.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(Vector512<float> v)
    {
        Vector256<float> eight = Vector256.MaxNative(v.GetLower(), v.GetUpper());
        Vector128<float> four = Vector128.MaxNative(eight.GetLower(), eight.GetUpper());
        four = Vector128.MaxNative(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return MathF.Max(four.GetElement(0), four.GetElement(1));
    }

    /// <summary>Largest lane; NaN when a lane is NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxOrNaN(Vector512<float> v)
    {
        Vector256<float> eight = Vector256.Max(v.GetLower(), v.GetUpper());
        Vector128<float> four = Vector128.Max(eight.GetLower(), eight.GetUpper());
        return MathF.Max(MathF.Max(four.GetElement(0), four.GetElement(2)), MathF.Max(four.GetElement(1), four.GetElement(3)));
    }

    /// <summary>Sum of a row of <paramref name="count"/> elements.</summary>
    public static float RowSum(float* x, int count)
    {
        Vector512<float> a0 = default, a1 = default, a2 = default, a3 = default;
        int i = 0;
        for (; i <= count - 64; i += 64)
        {
            a0 += Vector512.Load(x + i);
            a1 += Vector512.Load(x + i + 16);
            a2 += Vector512.Load(x + i + 32);
            a3 += Vector512.Load(x + i + 48);
        }

        for (; i <= count - Count; i += Count)
        {
            a0 += Vector512.Load(x + i);
        }

        if (i < count)
        {
            a1 += LoadTail(x + i, count - i);
        }

        return Sum((a0 + a1) + (a2 + a3));
    }

    /// <summary>Sum of (x - centre)² over a row of <paramref name="count"/> elements.</summary>
    public static float RowSumOfSquares(float* x, int count, float centre)
    {
        Vector512<float> a0 = default, a1 = default, a2 = default, a3 = default;
        Vector512<float> c = Vector512.Create(centre);
        int i = 0;
        for (; i <= count - 64; i += 64)
        {
            Vector512<float> d0 = Vector512.Load(x + i) - c;
            Vector512<float> d1 = Vector512.Load(x + i + 16) - c;
            Vector512<float> d2 = Vector512.Load(x + i + 32) - c;
            Vector512<float> d3 = Vector512.Load(x + i + 48) - c;
            a0 = Vector512.FusedMultiplyAdd(d0, d0, a0);
            a1 = Vector512.FusedMultiplyAdd(d1, d1, a1);
            a2 = Vector512.FusedMultiplyAdd(d2, d2, a2);
            a3 = Vector512.FusedMultiplyAdd(d3, d3, a3);
        }

        for (; i <= count - Count; i += Count)
        {
            Vector512<float> d = Vector512.Load(x + i) - c;
            a0 = Vector512.FusedMultiplyAdd(d, d, a0);
        }

        float sum = Sum((a0 + a1) + (a2 + a3));
        for (; i < count; i++)
        {
            float d = x[i] - centre;
            sum = MathF.FusedMultiplyAdd(d, d, sum);
        }

        return sum;
    }

    /// <summary>y += x over <paramref name="count"/> elements.</summary>
    public static void AddTo(float* y, float* x, int count)
    {
        int i = 0;
        for (; i <= count - Count; i += Count)
        {
            (Vector512.Load(y + i) + Vector512.Load(x + i)).Store(y + i);
        }

        for (; i < count; i++)
        {
            y[i] += x[i];
        }
    }
}
