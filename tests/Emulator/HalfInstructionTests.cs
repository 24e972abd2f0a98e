namespace CoGrpo.Tests.Emulator;

/// <summary>
/// Arithmetic of fp16 and bf16, single and packed, on zeros, subnormals, the largest values, infinities and NaN; results bit for bit.
/// </summary>
public class HalfInstructionTests
{
    private static readonly ulong[] Halves =
    [
        0,
        0x8000,
        1,
        0x8001,
        0x3FF,
        0x400,
        0x8400,
        0x401,
        0x3C00,
        0xBC00,
        0x3C01,
        0x3BFF,
        0x3555,
        0x4200,
        0xC248,
        0x5640,
        0x7BFF,
        0xFBFF,
        0x7800,
        0x7C00,
        0xFC00,
        0x7E00,
        0xFE01,
        0x1400,
        0x0C00,
    ];

    private static readonly ulong[] Brains =
    [
        0,
        0x8000,
        1,
        0x8001,
        0x7F,
        0x80,
        0x8080,
        0x81,
        0x3F80,
        0xBF80,
        0x3F81,
        0x3F7F,
        0x3EAA,
        0x4040,
        0xC049,
        0x42C8,
        0x7F7F,
        0xFF7F,
        0x7F00,
        0x7F80,
        0xFF80,
        0x7FC0,
        0xFFC1,
        0x2000,
        0x0D00,
    ];

    private static double Value(ulong bits, bool bfloat) =>
        bfloat ? BitConverter.UInt32BitsToSingle((uint)bits << 16) : (double)BitConverter.UInt16BitsToHalf((ushort)bits);

    private static ulong Extreme(ulong a, ulong b, bool bfloat, bool most, bool nanWins)
    {
        (double x, double y) = (Value(a, bfloat), Value(b, bfloat));
        if (double.IsNaN(x) || double.IsNaN(y))
        {
            return nanWins || (double.IsNaN(x) && double.IsNaN(y)) ? 0x7FFF : double.IsNaN(x) ? b : a;
        }

        // Minus zero is less than zero here.
        bool first = x == y ? double.IsNegative(x) != most : x < y != most;
        return first ? a : b;
    }

    private static ulong Relu(ulong bits, bool bfloat) => double.IsNaN(Value(bits, bfloat)) ? 0x7FFF : (bits & 0x8000) != 0 ? 0 : bits;

    /// <summary>NaN results are the canonical one, and so bits can be compared; of a sign change they are not.</summary>
    private static List<(string Name, string Sorts, Func<ulong, ulong, ulong, ulong> Reference)> Operations(bool bfloat)
    {
        double V(ulong x) => Value(x, bfloat);
        ulong Fused(ulong a, ulong b, ulong c) => ExactReference.Narrow(V(a), V(b), V(c), bfloat);
        return
        [
            ("add.rn.@ $d, $a, $b;", "ab", (a, b, _) => ExactReference.Narrow(V(a), 1, V(b), bfloat)),
            ("sub.rn.@ $d, $a, $b;", "ab", (a, b, _) => ExactReference.Narrow(V(b), -1, V(a), bfloat)),
            (
                "mul.rn.@ $d, $a, $b;",
                "ab",
                (a, b, _) => ExactReference.Narrow(V(a), V(b), double.IsNegative(V(a)) != double.IsNegative(V(b)) ? -0.0 : 0.0, bfloat)
            ),
            ("fma.rn.@ $d, $a, $b, $c;", "abc", Fused),
            ("fma.rn.relu.@ $d, $a, $b, $c;", "abc", (a, b, c) => Relu(Fused(a, b, c), bfloat)),
            ("min.@ $d, $a, $b;", "ab", (a, b, _) => Extreme(a, b, bfloat, false, false)),
            ("max.@ $d, $a, $b;", "ab", (a, b, _) => Extreme(a, b, bfloat, true, false)),
            ("min.NaN.@ $d, $a, $b;", "ab", (a, b, _) => Extreme(a, b, bfloat, false, true)),
            ("max.NaN.@ $d, $a, $b;", "ab", (a, b, _) => Extreme(a, b, bfloat, true, true)),
            ("neg.@ $d, $a;", "a", (a, _, _) => a ^ 0x8000),
            ("abs.@ $d, $a;", "a", (a, _, _) => a & 0x7FFF),
        ];
    }

    private static (ulong, ulong, ulong)[] Operands(bool bfloat)
    {
        Random random = new(bfloat ? 5 : 6);
        ulong[] edges = bfloat ? Brains : Halves;

        // Like exponents, so that last bits count and sums cancel.
        ulong Near() => (ulong)((bfloat ? 0x3E00 : 0x3000) + random.Next(bfloat ? 0x300 : 0x1800) + (random.Next(2) * 0x8000));
        return [.. InstructionBench.Operands(edges, 0), .. Enumerable.Range(0, 300).Select(_ => (Near(), Near(), Near()))];
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void OneAtATime(bool bfloat) =>
        InstructionBench.Check(
            Operands(bfloat),
            [
                .. Operations(bfloat)
                    .Select(o => new InstructionCase(
                        o.Name.Replace("@", bfloat ? "bf16" : "f16", StringComparison.Ordinal),
                        "h" + new string('h', o.Sorts.Length),
                        o.Reference
                    )),
            ],
            "sm_90"
        );

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void TwoAtATime(bool bfloat)
    {
        (ulong A, ulong B, ulong C)[] single = Operands(bfloat);
        (ulong, ulong, ulong)[] pairs =
        [
            .. single.Select(
                (o, i) =>
                {
                    (ulong A, ulong B, ulong C) high = single[(i + 131) % single.Length];
                    return (o.A | (high.A << 16), o.B | (high.B << 16), o.C | (high.C << 16));
                }
            ),
        ];
        InstructionBench.Check(
            pairs,
            [
                .. Operations(bfloat)
                    .Select(o => new InstructionCase(
                        o.Name.Replace("@", bfloat ? "bf16x2" : "f16x2", StringComparison.Ordinal),
                        "r" + new string('r', o.Sorts.Length),
                        (a, b, c) => o.Reference(a & 0xFFFF, b & 0xFFFF, c & 0xFFFF) | (o.Reference(a >> 16, b >> 16, c >> 16) << 16)
                    )),
            ],
            "sm_90"
        );
    }

    [Fact]
    public void SubnormalsAreFlushedWhereAsked()
    {
        ulong Flush(ulong x) => (x & 0x7C00) == 0 ? x & 0x8000 : x;
        double V(ulong x) => Value(Flush(x), false);
        InstructionBench.Check(
            Operands(false),
            [
                new("add.ftz.f16 $d, $a, $b;", "hhh", (a, b, _) => Flush(ExactReference.Narrow(V(a), 1, V(b), false))),
                new("fma.rn.ftz.f16 $d, $a, $b, $c;", "hhhh", (a, b, c) => Flush(ExactReference.Narrow(V(a), V(b), V(c), false))),
                new(
                    "fma.rn.sat.f16 $d, $a, $b, $c;",
                    "hhhh",
                    (a, b, c) =>
                        ExactReference.Narrow(Value(a, false), Value(b, false), Value(c, false), false) is var r && Value(r, false) > 0
                            ? Math.Min(r, 0x3C00)
                            : 0
                ),
            ]
        );
    }

    [Fact]
    public void ComparisonsOfPairs()
    {
        // Two predicates come out; each half's is put into its own bit.
        const string Test =
            "{ .reg .pred x, y; setp.{r}.f16x2 x|y, $a, $b; .reg .b32 u, v; selp.u32 u, 1, 0, x; selp.u32 v, 2, 0, y; or.b32 $d, u, v; }";
        (string, Func<double, double, bool>)[] relations =
        [
            ("lt", (x, y) => x < y),
            ("geu", (x, y) => !(x < y)),
            ("eq", (x, y) => x == y),
            ("num", (x, y) => !double.IsNaN(x) && !double.IsNaN(y)),
        ];
        (ulong A, ulong B, ulong C)[] single = Operands(false);
        InstructionBench.Check(
            [.. single.Select((o, i) => (o.A | (single[^(i + 1)].A << 16), o.B | (single[^(i + 1)].B << 16), 0UL))],
            [
                .. relations.Select(r => new InstructionCase(
                    Test.Replace("{r}", r.Item1, StringComparison.Ordinal),
                    "rrr",
                    (a, b, _) =>
                        (r.Item2(Value(a & 0xFFFF, false), Value(b & 0xFFFF, false)) ? 1UL : 0)
                        | (r.Item2(Value(a >> 16, false), Value(b >> 16, false)) ? 2UL : 0)
                )),
            ]
        );
    }

    [Fact]
    public void Functions() => InstructionBench.Check(Operands(false),
    [
        new("ex2.approx.f16 $d, $a;", "hh", (a, _, _) => BitConverter.HalfToUInt16Bits((Half)Math.Pow(2, Value(a, false)))) { Tolerance = 2e-3 },
        new("tanh.approx.f16 $d, $a;", "hh", (a, _, _) => BitConverter.HalfToUInt16Bits((Half)Math.Tanh(Value(a, false)))) { Tolerance = 2e-3 },
    ]);
}
