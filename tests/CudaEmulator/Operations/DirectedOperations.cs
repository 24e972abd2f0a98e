using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using D = System.Runtime.Intrinsics.Vector512<double>;
using F = System.Runtime.Intrinsics.Vector512<float>;
using U = System.Runtime.Intrinsics.Vector512<uint>;

namespace CoGrpo.CudaEmulator.Operations;

// fp32 sums, products and multiply-adds rounded towards zero, minus or plus infinity. In fp64 the product of two fp32 values is exact, and a
// sum is one fp64 number and the error of it; the nearest fp32 value is then moved by one where it lies on the wrong side.
#pragma warning disable SA1649, SA1402
internal enum Direction
{
    Zero,
    Down,
    Up,
}

/// <summary>A direction known when code is generated.</summary>
internal interface IDirection
{
    static abstract Direction Value { get; }
}

internal readonly struct TowardsZero : IDirection
{
    public static Direction Value => Direction.Zero;
}

internal readonly struct Downwards : IDirection
{
    public static Direction Value => Direction.Down;
}

internal readonly struct Upwards : IDirection
{
    public static Direction Value => Direction.Up;
}

internal readonly struct FmaDirected<T> : IWordOperation
    where T : struct, IDirection
{
    public static U Apply(U a, U b, U c)
    {
        (F x, F y, F z) = (a.AsSingle(), b.AsSingle(), c.AsSingle());
        return Directed.Narrow<T>(
            Vector512.WidenLower(x) * Vector512.WidenLower(y),
            Vector512.WidenLower(z),
            Vector512.WidenUpper(x) * Vector512.WidenUpper(y),
            Vector512.WidenUpper(z)
        );
    }
}

internal readonly struct AddDirected<T> : IWordOperation
    where T : struct, IDirection
{
    public static U Apply(U a, U b, U c)
    {
        (F x, F y) = (a.AsSingle(), b.AsSingle());
        return Directed.Narrow<T>(Vector512.WidenLower(x), Vector512.WidenLower(y), Vector512.WidenUpper(x), Vector512.WidenUpper(y));
    }
}

internal readonly struct SubDirected<T> : IWordOperation
    where T : struct, IDirection
{
    public static U Apply(U a, U b, U c) => AddDirected<T>.Apply(a, b ^ Vector512.Create(0x80000000u), c);
}

internal readonly struct MulDirected<T> : IWordOperation
    where T : struct, IDirection
{
    public static U Apply(U a, U b, U c)
    {
        (F x, F y) = (a.AsSingle(), b.AsSingle());
        D low = Vector512.WidenLower(x) * Vector512.WidenLower(y);
        D high = Vector512.WidenUpper(x) * Vector512.WidenUpper(y);
        F nearest = Vector512.Narrow(low, high);
        (D back0, D back1) = (Vector512.WidenLower(nearest), Vector512.WidenUpper(nearest));
        return Directed.Step<T>(
            nearest,
            Vector512.GreaterThan(back0, low),
            Vector512.GreaterThan(back1, high),
            Vector512.LessThan(back0, low),
            Vector512.LessThan(back1, high)
        );
    }
}

internal static class Directed
{
    /// <summary>p + c of the lower and of the upper lanes, rounded once.</summary>
    public static U Narrow<T>(D p0, D c0, D p1, D c1)
        where T : struct, IDirection
    {
        D s0 = p0 + c0;
        D s1 = p1 + c1;
        D e0 = Error(p0, c0, s0);
        D e1 = Error(p1, c1, s1);
        F nearest = Vector512.Narrow(s0, s1);
        (D back0, D back1) = (Vector512.WidenLower(nearest), Vector512.WidenUpper(nearest));
        U result = Step<T>(nearest, Above(back0, s0, e0), Above(back1, s1, e1), Above(s0, back0, -e0), Above(s1, back1, -e1));
        if (T.Value != Direction.Down)
        {
            return result;
        }

        // Where the sum cancels, the zero is negative.
        Vector512<long> zeros0 = Vector512.Equals(s0, D.Zero).AsInt64() & (p0.AsInt64() | c0.AsInt64());
        Vector512<long> zeros1 = Vector512.Equals(s1, D.Zero).AsInt64() & (p1.AsInt64() | c1.AsInt64());
        return result | (Vector512.Narrow((zeros0 >> 32).AsUInt64(), (zeros1 >> 32).AsUInt64()) & Vector512.Create(0x80000000u));
    }

    /// <summary>
    /// The neighbour of a rounded value in the direction, where the value lies above or below the exact one (of the lower, then the upper lanes).
    /// </summary>
    public static U Step<T>(F nearest, D above0, D above1, D below0, D below1)
        where T : struct, IDirection
    {
        U above = Vector512.Narrow(above0.AsUInt64(), above1.AsUInt64());
        U below = Vector512.Narrow(below0.AsUInt64(), below1.AsUInt64());
        U bits = nearest.AsUInt32();
        U negative = (bits.AsInt32() >> 31).AsUInt32();
        U down = Vector512.ConditionalSelect(
            negative,
            bits + U.One,
            Vector512.ConditionalSelect(Vector512.Equals(bits, U.Zero), Vector512.Create(0x80000001u), bits - U.One)
        );
        U up = Vector512.ConditionalSelect(
            negative,
            Vector512.ConditionalSelect(Vector512.Equals(bits, Vector512.Create(0x80000000u)), U.One, bits - U.One),
            bits + U.One
        );
        U result = T.Value switch
        {
            Direction.Down => Vector512.ConditionalSelect(above, down, bits),
            Direction.Up => Vector512.ConditionalSelect(below, up, bits),
            _ => Vector512.ConditionalSelect(negative, Vector512.ConditionalSelect(below, up, bits), Vector512.ConditionalSelect(above, down, bits)),
        };
        return Single.Canonical(result.AsSingle());
    }

    /// <summary>Whether x lies above s + e.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static D Above(D x, D s, D e) => Vector512.GreaterThan(x, s) | (Vector512.Equals(x, s) & Vector512.LessThan(e, D.Zero));

    /// <summary>What rounding lost of a + b = s, exactly.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static D Error(D a, D b, D s)
    {
        D rest = s - a;
        return (a - (s - rest)) + (b - rest);
    }
}
#pragma warning restore SA1649, SA1402
