namespace CoGrpo.Tests.Emulator;

/// <summary>Floating-point instructions: IEEE results bit for bit in every direction of rounding, approximate functions within their error.</summary>
public class FloatInstructionTests
{
    private static readonly float[] Singles =
    [
        0f,
        -0f,
        1f,
        -1f,
        0.1f,
        3f,
        1.5f,
        16777216f,
        16777217f,
        1e-30f,
        1e30f,
        float.Epsilon,
        -float.Epsilon,
        1e-40f,
        1.17549435e-38f,
        float.MaxValue,
        float.MinValue,
        float.PositiveInfinity,
        float.NegativeInfinity,
        float.NaN,
        0.33333334f,
        -2.7182817f,
    ];

    private static readonly double[] Reals =
    [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.1,
        3.0,
        1.5,
        9007199254740993.0,
        1e-300,
        1e300,
        double.Epsilon,
        -double.Epsilon,
        1e-310,
        2.2250738585072014e-308,
        double.MaxValue,
        double.MinValue,
        double.PositiveInfinity,
        double.NegativeInfinity,
        double.NaN,
        1.0 / 3,
        -Math.E,
    ];

    private static readonly (ulong, ulong, ulong)[] SingleOperands =
    [
        .. InstructionBench.Operands([.. Singles.Select(x => (ulong)BitConverter.SingleToUInt32Bits(x))], 0),
        .. Near(false),
    ];

    private static readonly (ulong, ulong, ulong)[] RealOperands =
    [
        .. InstructionBench.Operands([.. Reals.Select(BitConverter.DoubleToUInt64Bits)], 0),
        .. Near(true),
    ];

    /// <summary>Random numbers of like size, so that sums and products need their last bits.</summary>
    private static (ulong, ulong, ulong)[] Near(bool real)
    {
        Random random = new(2);
        ulong Next()
        {
            double x = (random.NextDouble() - 0.5) * Math.Pow(2, random.Next(-20, 20));
            return real ? BitConverter.DoubleToUInt64Bits(x) : BitConverter.SingleToUInt32Bits((float)x);
        }

        return [.. Enumerable.Range(0, 500).Select(_ => (Next(), Next(), Next()))];
    }

    private static float F(ulong bits) => BitConverter.UInt32BitsToSingle((uint)bits);

    private static ulong F(float value) => BitConverter.SingleToUInt32Bits(value);

    private static double D(ulong bits) => BitConverter.UInt64BitsToDouble(bits);

    private static ulong D(double value) => BitConverter.DoubleToUInt64Bits(value);

    private static float Flush(float x) => Math.Abs(x) < 1.17549435e-38f ? MathF.CopySign(0, x) : x;

    [Fact]
    public void SingleArithmetic()
    {
        float Min(float a, float b) => float.IsNaN(a) ? b : float.IsNaN(b) ? a : MathF.Min(a, b);
        float Max(float a, float b) => float.IsNaN(a) ? b : float.IsNaN(b) ? a : MathF.Max(a, b);
        float Sat(float x) => x > 0 ? MathF.Min(x, 1) : 0;
        InstructionCase[] cases =
        [
            new("add.f32 $d, $a, $b;", "fff", (a, b, _) => F(F(a) + F(b))),
            new("sub.rn.f32 $d, $a, $b;", "fff", (a, b, _) => F(F(a) - F(b))),
            new("mul.f32 $d, $a, $b;", "fff", (a, b, _) => F(F(a) * F(b))),
            new("fma.rn.f32 $d, $a, $b, $c;", "ffff", (a, b, c) => F(MathF.FusedMultiplyAdd(F(a), F(b), F(c)))),
            new("div.rn.f32 $d, $a, $b;", "fff", (a, b, _) => F(F(a) / F(b))),
            new("rcp.rn.f32 $d, $a;", "ff", (a, _, _) => F(1 / F(a))),
            new("sqrt.rn.f32 $d, $a;", "ff", (a, _, _) => F(MathF.Sqrt(F(a)))),
            new("min.f32 $d, $a, $b;", "fff", (a, b, _) => F(Min(F(a), F(b)))),
            new("max.f32 $d, $a, $b;", "fff", (a, b, _) => F(Max(F(a), F(b)))),
            new("min.NaN.f32 $d, $a, $b;", "fff", (a, b, _) => F(float.IsNaN(F(a)) || float.IsNaN(F(b)) ? float.NaN : Min(F(a), F(b)))),
            new("abs.f32 $d, $a;", "ff", (a, _, _) => F(MathF.Abs(F(a)))),
            new("neg.f32 $d, $a;", "ff", (a, _, _) => F(-F(a))),
            new("copysign.f32 $d, $a, $b;", "fff", (a, b, _) => F(MathF.CopySign(F(b), F(a)))),
            new("add.ftz.f32 $d, $a, $b;", "fff", (a, b, _) => F(Flush(Flush(F(a)) + Flush(F(b))))),
            new("mul.ftz.f32 $d, $a, $b;", "fff", (a, b, _) => F(Flush(Flush(F(a)) * Flush(F(b))))),
            new("fma.rn.ftz.f32 $d, $a, $b, $c;", "ffff", (a, b, c) => F(Flush(MathF.FusedMultiplyAdd(Flush(F(a)), Flush(F(b)), Flush(F(c)))))),
            new("add.sat.f32 $d, $a, $b;", "fff", (a, b, _) => F(Sat(F(a) + F(b)))),
            new("fma.rn.sat.f32 $d, $a, $b, $c;", "ffff", (a, b, c) => F(Sat(MathF.FusedMultiplyAdd(F(a), F(b), F(c))))),
            new("mad.rn.f32 $d, $a, $b, $c;", "ffff", (a, b, c) => F(MathF.FusedMultiplyAdd(F(a), F(b), F(c)))),
        ];
        InstructionBench.Check(SingleOperands, cases);
        InstructionBench.Check(SingleOperands, cases[..8], "sm_75", old: true);
    }

    [Fact]
    public void SingleInEveryDirection()
    {
        List<InstructionCase> cases = [];
        foreach (string mode in (string[])["rz", "rm", "rp"])
        {
            cases.Add(new($"add.{mode}.f32 $d, $a, $b;", "fff", (a, b, _) => F(ExactReference.Single(F(a), 1, F(b), mode))));
            cases.Add(new($"sub.{mode}.f32 $d, $a, $b;", "fff", (a, b, _) => F(ExactReference.Single(F(a), 1, -F(b), mode))));
            cases.Add(new($"mul.{mode}.f32 $d, $a, $b;", "fff", (a, b, _) => F(ExactReference.Product(F(a), F(b), mode))));
            cases.Add(new($"fma.{mode}.f32 $d, $a, $b, $c;", "ffff", (a, b, c) => F(ExactReference.Single(F(a), F(b), F(c), mode))));
            cases.Add(new($"div.{mode}.f32 $d, $a, $b;", "fff", (a, b, _) => F(ExactReference.Quotient(F(a), F(b), mode))));
            cases.Add(new($"rcp.{mode}.f32 $d, $a;", "ff", (a, _, _) => F(ExactReference.Quotient(1, F(a), mode))));
            cases.Add(new($"sqrt.{mode}.f32 $d, $a;", "ff", (a, _, _) => F(ExactReference.Root(F(a), mode))));
        }

        InstructionBench.Check(SingleOperands, cases);
    }

    [Fact]
    public void RealArithmetic()
    {
        double Min(double a, double b) => double.IsNaN(a) ? b : double.IsNaN(b) ? a : Math.Min(a, b);
        double Max(double a, double b) => double.IsNaN(a) ? b : double.IsNaN(b) ? a : Math.Max(a, b);
        List<InstructionCase> cases =
        [
            new("add.f64 $d, $a, $b;", "ddd", (a, b, _) => D(D(a) + D(b))),
            new("sub.f64 $d, $a, $b;", "ddd", (a, b, _) => D(D(a) - D(b))),
            new("mul.f64 $d, $a, $b;", "ddd", (a, b, _) => D(D(a) * D(b))),
            new("fma.rn.f64 $d, $a, $b, $c;", "dddd", (a, b, c) => D(Math.FusedMultiplyAdd(D(a), D(b), D(c)))),
            new("div.rn.f64 $d, $a, $b;", "ddd", (a, b, _) => D(D(a) / D(b))),
            new("rcp.rn.f64 $d, $a;", "dd", (a, _, _) => D(1 / D(a))),
            new("sqrt.rn.f64 $d, $a;", "dd", (a, _, _) => D(Math.Sqrt(D(a)))),
            new("min.f64 $d, $a, $b;", "ddd", (a, b, _) => D(Min(D(a), D(b)))),
            new("max.f64 $d, $a, $b;", "ddd", (a, b, _) => D(Max(D(a), D(b)))),
            new("abs.f64 $d, $a;", "dd", (a, _, _) => D(Math.Abs(D(a)))),
            new("neg.f64 $d, $a;", "dd", (a, _, _) => D(-D(a))),
        ];
        InstructionBench.Check(RealOperands, cases);

        // On values that fp32 holds, directed fp64 sums and products of small ones are exact; the rest is bounded by its neighbours.
        foreach (string mode in (string[])["rz", "rm", "rp"])
        {
            InstructionBench.Check(RealOperands,
            [
                new($"add.{mode}.f64 $d, $a, $b;", "ddd", (a, b, _) => D(ExactReference.RealSum(D(a), D(b), mode))),
                new($"mul.{mode}.f64 $d, $a, $b;", "ddd", (a, b, _) => D(ExactReference.RealProduct(D(a), D(b), mode))),
            ]);
        }
    }

    [Fact]
    public void Comparisons()
    {
        List<InstructionCase> cases = [];
        foreach (
            (string type, char sort, Func<ulong, double> value) in (IEnumerable<(string, char, Func<ulong, double>)>)
                [("f32", 'f', x => F(x)), ("f64", 'd', D)]
        )
        {
            void Add(string relation, Func<double, double, bool> f, bool unordered) =>
                cases.Add(
                    new(
                        $"setp.{relation}.{type} $d, $a, $b;",
                        $"p{sort}{sort}",
                        (a, b, _) =>
                            double.IsNaN(value(a)) || double.IsNaN(value(b)) ? (unordered ? 1UL : 0)
                            : f(value(a), value(b)) ? 1UL
                            : 0
                    )
                );
            foreach (bool unordered in (bool[])[false, true])
            {
                string u = unordered ? "u" : "";
                Add("eq" + u, (a, b) => a == b, unordered);
                Add("ne" + u, (a, b) => a != b, unordered);
                Add("lt" + u, (a, b) => a < b, unordered);
                Add("le" + u, (a, b) => a <= b, unordered);
                Add("gt" + u, (a, b) => a > b, unordered);
                Add("ge" + u, (a, b) => a >= b, unordered);
            }

            Add("num", (_, _) => true, false);
            Add("nan", (_, _) => false, true);
            cases.Add(new($"testp.finite.{type} $d, $a;", $"p{sort}", (a, _, _) => double.IsFinite(value(a)) ? 1UL : 0));
            cases.Add(
                new(
                    $"testp.subnormal.{type} $d, $a;",
                    $"p{sort}",
                    (a, _, _) => value(a) != 0 && Math.Abs(value(a)) < (sort == 'f' ? 1.1754943508222875e-38 : 2.2250738585072014e-308) ? 1UL : 0
                )
            );
        }

        InstructionBench.Check(SingleOperands, [.. cases.Where(c => c.Sorts.Contains('f', StringComparison.Ordinal))]);
        InstructionBench.Check(RealOperands, [.. cases.Where(c => c.Sorts.Contains('d', StringComparison.Ordinal))]);
    }

    [Fact]
    public void ApproximateFunctions()
    {
        InstructionCase Of(string text, Func<double, double> f, double tolerance = 1.3e-7) =>
            new(text, "ff", (a, _, _) => F((float)f(F(a)))) { Tolerance = tolerance };
        InstructionCase[] cases =
        [
            Of("ex2.approx.f32 $d, $a;", x => Math.Pow(2, x)),
            Of("rcp.approx.f32 $d, $a;", x => 1 / x),
            Of("sqrt.approx.f32 $d, $a;", Math.Sqrt),
            Of("rsqrt.approx.f32 $d, $a;", x => 1 / Math.Sqrt(x)),
            Of("lg2.approx.f32 $d, $a;", Math.Log2),
            Of("tanh.approx.f32 $d, $a;", Math.Tanh),
            Of("ex2.approx.ftz.f32 $d, $a;", x => Flush((float)Math.Pow(2, Flush((float)x)))),
            Of("rcp.approx.ftz.f32 $d, $a;", x => Flush((float)(1 / (double)Flush((float)x)))),
            new("div.full.f32 $d, $a, $b;", "fff", (a, b, _) => F(F(a) / F(b))) { Tolerance = 1.3e-7 },
            new(
                "div.approx.f32 $d, $a, $b;",
                "fff",
                (a, b, _) =>
                    F(
                        Math.Abs(F(b)) is > 8.507059e37f and < float.PositiveInfinity
                            ? (float.IsInfinity(F(a)) ? float.NaN : F(a) * 0 * F(b))
                            : F(a) / F(b)
                    )
            )
            {
                Tolerance = 1.3e-7,
            },
        ];
        InstructionBench.Check(SingleOperands, cases);
        (ulong, ulong, ulong)[] angles = [.. Enumerable.Range(-400, 801).Select(i => ((ulong)BitConverter.SingleToUInt32Bits(i * 0.01f), 0UL, 0UL))];
        InstructionBench.Check(angles, [Of("sin.approx.f32 $d, $a;", Math.Sin), Of("cos.approx.f32 $d, $a;", Math.Cos)]);
    }
}
