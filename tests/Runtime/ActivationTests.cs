using System.Runtime.Intrinsics;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Backends.Cpu;

namespace CoGrpo.Tests.Runtime;

/// <summary>Pointwise functions against fp64.</summary>
public sealed unsafe class ActivationTests : IDisposable
{
    private readonly CpuBackend _backend = new(2);
    private readonly Arena _arena;

    public ActivationTests() => _arena = _backend.CreateArena("activations", 1 << 20);

    public static TheoryData<Activation> Functions =>
        [Activation.None, Activation.Silu, Activation.GeluTanh, Activation.GeluErf, Activation.GeluQuick];

    public void Dispose()
    {
        _arena.Dispose();
        _backend.Dispose();
    }

    /// <summary>fp64 value.</summary>
    public static double Value(double x, Activation activation) => activation switch
    {
        Activation.Silu => x / (1 + Math.Exp(-x)),
        Activation.GeluTanh => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))),
        Activation.GeluErf => 0.5 * x * Erfc(-x / Math.Sqrt(2)),
        Activation.GeluQuick => x / (1 + Math.Exp(-1.702 * x)),
        _ => x,
    };

    [Fact]
    public void TanhAndErfAreAccurate()
    {
        for (int i = -60000; i <= 60000; i++)
        {
            float x = i / 10000f;
            float tanh = SimdMath.Tanh(Vector512.Create(x))[0], erf = SimdMath.Erf(Vector512.Create(x))[0];
            Assert.True(Math.Abs(tanh - Math.Tanh(x)) <= 1e-7, $"tanh {x}: {tanh}");
            Assert.True(Math.Abs(erf - (1 - Erfc(x))) <= 1e-7, $"erf {x}: {erf}");
        }

        foreach (float x in (float[])[1e-20f, 1e-5f, 0.3f])
        {
            Assert.Equal(2 / Math.Sqrt(Math.PI) * (x - (x * x * x / 3.0) + (Math.Pow(x, 5) / 10) - (Math.Pow(x, 7) / 42) + (Math.Pow(x, 9) / 216)),
                SimdMath.Erf(Vector512.Create(x))[0], x * 2e-6);
        }

        Assert.Equal(1, SimdMath.Erf(Vector512.Create(float.PositiveInfinity))[0]);
        Assert.Equal(-1, SimdMath.Tanh(Vector512.Create(float.NegativeInfinity))[0]);
        Assert.True(float.IsNaN(SimdMath.Erf(Vector512.Create(float.NaN))[0]));
        Assert.True(float.IsNaN(SimdMath.Tanh(Vector512.Create(float.NaN))[0]));
    }

    [Theory]
    [MemberData(nameof(Functions))]
    public void ValuesAndDerivativesMatchDoublePrecision(Activation activation)
    {
        (int rows, int columns) = (37, 547);
        Tensor x = New(rows, columns), y = New(rows, columns), dy = New(rows, columns), dx = New(rows, columns);
        for (int i = 0; i < rows * columns; i++)
        {
            x.F32[i] = (i - 10000) / 800f;
            dy.F32[i] = (i % 7) - 3;
        }

        (x.F32[0], x.F32[1], x.F32[2], x.F32[3]) = (1e9f, -1e9f, 100, -100);
        _backend.Activate(x, y, activation);
        _backend.ActivateBackward(dy, x, dx, activation);
        for (int i = 0; i < rows * columns; i++)
        {
            double v = x.F32[i],
                h = 1e-5;
            Assert.True(
                Math.Abs(y.F32[i] - Value(v, activation)) <= 2e-7 * (1 + Math.Abs(v)),
                $"{activation} {v}: {y.F32[i]} {Value(v, activation)}"
            );
            double slope =
                Math.Abs(v) > 50 ? (v > 0 || activation == Activation.None ? 1 : 0) : (Value(v + h, activation) - Value(v - h, activation)) / (2 * h);
            Assert.True(Math.Abs(dx.F32[i] - (dy.F32[i] * slope)) <= 3e-6, $"{activation} slope at {v}: {dx.F32[i]} {dy.F32[i] * slope}");
        }

        float[] once = [.. new ReadOnlySpan<float>(dx.F32, rows * columns)];
        _backend.ActivateBackward(dy, x, dx, activation, accumulate: true);
        for (int i = 0; i < once.Length; i++)
        {
            Assert.Equal(once[i] + once[i], dx.F32[i]);
        }

        _backend.ActivateBackward(dy, x, dy, activation);
        Assert.True(new ReadOnlySpan<float>(dy.F32, once.Length).SequenceEqual(once));
    }

    /// <summary>erfc in fp64: series near zero, continued fraction elsewhere.</summary>
    internal static double Erfc(double x)
    {
        if (Math.Abs(x) > 30)
        {
            return x > 0 ? 0 : 2;
        }

        if (Math.Abs(x) < 2.5)
        {
            double term = x, sum = x;
            for (int n = 1; n < 80; n++)
            {
                term *= -x * x / n;
                sum += term / ((2 * n) + 1);
            }

            return 1 - (2 / Math.Sqrt(Math.PI) * sum);
        }

        double a = Math.Abs(x), f = 0;
        for (int n = 120; n > 0; n--)
        {
            f = n / 2.0 / (a + f);
        }

        double tail = Math.Exp(-a * a) / Math.Sqrt(Math.PI) / (a + f);
        return x > 0 ? tail : 2 - tail;
    }

    private Tensor New(int rows, int columns) => _arena.Allocate(new Shape(rows, columns));
}
