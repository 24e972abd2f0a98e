using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using D = System.Runtime.Intrinsics.Vector512<double>;
using F = System.Runtime.Intrinsics.Vector512<float>;
using U = System.Runtime.Intrinsics.Vector512<uint>;

namespace CoGrpo.CudaEmulator.Operations;

// The approximate functions of the special-function unit: computed in fp64 to about 1e-12 and rounded once, so that their error is below
// that of any device; the device's own last bits are not reproduced.
#pragma warning disable SA1649, SA1402

/// <summary>A function of one fp64 variable.</summary>
internal interface IDoubleFunction
{
    static abstract D Apply(D x);
}

/// <summary>An fp32 function computed in fp64.</summary>
internal readonly struct InDouble<T> : IWordOperation
    where T : struct, IDoubleFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c)
    {
        F x = a.AsSingle();
        return Single.Canonical(Vector512.Narrow(T.Apply(Vector512.WidenLower(x)), T.Apply(Vector512.WidenUpper(x))));
    }
}

internal readonly struct Reciprocal : IDoubleFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static D Apply(D x) => D.One / x;
}

internal readonly struct ReciprocalRoot : IDoubleFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static D Apply(D x) => D.One / Vector512.Sqrt(x);
}

/// <summary>2^x.</summary>
internal readonly struct Exp2 : IDoubleFunction
{
    public static D Apply(D x)
    {
        // Beyond 2^±300 the fp32 result is 0 or infinite anyway.
        D clamped = Vector512.Min(Vector512.Max(x, Vector512.Create(-300.0)), Vector512.Create(300.0));
        D n = Vector512.Round(clamped);
        D f = clamped - n;

        // The powers of ln 2 over factorials; |f| ≤ 1/2.
        D p = Vector512.Create(7.0549116208011233e-9);
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(1.0178086009239699e-7));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(1.3215486790144307e-6));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(1.5252733804059841e-5));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(1.5403530393381610e-4));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(1.3333558146428443e-3));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(9.6181291076284772e-3));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(5.5504108664821580e-2));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(2.4022650695910071e-1));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(6.9314718055994531e-1));
        p = Vector512.FusedMultiplyAdd(p, f, D.One);
        Vector512<long> scale = (Vector512.ConvertToInt64(n) + Vector512.Create(1023L)) << 52;
        return Vector512.ConditionalSelect(Vector512.Equals(x, x), p * scale.AsDouble(), x);
    }
}

/// <summary>Base-2 logarithm.</summary>
internal readonly struct Log2 : IDoubleFunction
{
    public static D Apply(D x)
    {
        // x = 2^e · m with m from sqrt(1/2) to sqrt(2): subtracting the bits of sqrt(1/2) makes the exponent field carry there.
        Vector512<long> offset = x.AsInt64() - Vector512.Create(0x3FE6A09E667F3BCDL);
        D e = Vector512.ConvertToDouble(offset >> 52);
        D m = ((offset & Vector512.Create(0x000FFFFFFFFFFFFFL)) + Vector512.Create(0x3FE6A09E667F3BCDL)).AsDouble();
        D s = (m - D.One) / (m + D.One);
        D z = s * s;
        D p = Vector512.Create(2.0 / 15);
        p = Vector512.FusedMultiplyAdd(p, z, Vector512.Create(2.0 / 13));
        p = Vector512.FusedMultiplyAdd(p, z, Vector512.Create(2.0 / 11));
        p = Vector512.FusedMultiplyAdd(p, z, Vector512.Create(2.0 / 9));
        p = Vector512.FusedMultiplyAdd(p, z, Vector512.Create(2.0 / 7));
        p = Vector512.FusedMultiplyAdd(p, z, Vector512.Create(2.0 / 5));
        p = Vector512.FusedMultiplyAdd(p, z, Vector512.Create(2.0 / 3));
        p = Vector512.FusedMultiplyAdd(p, z, Vector512.Create(2.0));
        D result = Vector512.FusedMultiplyAdd(p * s, Vector512.Create(1.4426950408889634), e);
        result = Vector512.ConditionalSelect(Vector512.Equals(x, D.Zero), Vector512.Create(double.NegativeInfinity), result);
        result = Vector512.ConditionalSelect(Vector512.Equals(x, Vector512.Create(double.PositiveInfinity)), x, result);
        return Vector512.ConditionalSelect(Vector512.GreaterThanOrEqual(x, D.Zero), result, Vector512.Create(double.NaN));
    }
}

internal readonly struct Sine : IDoubleFunction
{
    public static D Apply(D x) => PerLane(x, Math.Sin);

    public static D PerLane(D x, Func<double, double> function)
    {
        for (int i = 0; i < D.Count; i++)
        {
            x = x.WithElement(i, function(x.GetElement(i)));
        }

        return x;
    }
}

internal readonly struct Cosine : IDoubleFunction
{
    public static D Apply(D x) => Sine.PerLane(x, Math.Cos);
}

internal readonly struct HyperbolicTangent : IDoubleFunction
{
    public static D Apply(D x) => Sine.PerLane(x, Math.Tanh);
}
#pragma warning restore SA1649, SA1402
