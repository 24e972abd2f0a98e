using System.Numerics;

namespace CoGrpo.Tests.Emulator;

/// <summary>Conversions between all types, 16-bit floating-point arithmetic, packing.</summary>
public class ConversionInstructionTests
{
    private static readonly (ulong, ulong, ulong)[] IntegerOperands = InstructionBench.Operands(
        [
            0,
            1,
            2,
            127,
            128,
            255,
            256,
            32767,
            32768,
            65535,
            65536,
            16777217,
            0x7FFFFFFF,
            0x80000000,
            0xFFFFFFFF,
            0xFFFFFF80,
            0xFFFF8000,
            0x100000000,
            0x7FFFFFFFFFFFFFFF,
            0x8000000000000000,
            ulong.MaxValue,
            0x20000000000001,
            0xFFFFFFFFFFFFFF7F,
        ],
        300
    );

    private static readonly double[] Numbers =
    [
        0.0,
        -0.0,
        0.5,
        -0.5,
        1.5,
        2.5,
        -1.5,
        -2.5,
        0.49999997,
        1,
        -1,
        127.5,
        128,
        255.5,
        256,
        -128.5,
        -129,
        32767.5,
        32768,
        65535.5,
        -32769,
        2147483647,
        2147483648,
        4294967295,
        4294967296,
        -2147483649,
        9.2233720368547758e18,
        1.8446744073709552e19,
        -9.3e18,
        1e30,
        -1e30,
        1e-40,
        -1e-45,
        65504,
        65519,
        65520,
        1e5,
        6e-8,
        2.9e-8,
        3.1e-8,
        0.1,
        3.3333,
        double.PositiveInfinity,
        double.NegativeInfinity,
        double.NaN,
    ];

    private static readonly (ulong, ulong, ulong)[] SingleOperands =
    [
        .. Floats().Select(x => ((ulong)BitConverter.SingleToUInt32Bits((float)x), (ulong)BitConverter.SingleToUInt32Bits((float)-x * 3), 0UL)),
    ];

    private static readonly (ulong, ulong, ulong)[] RealOperands = [.. Floats().Select(x => (BitConverter.DoubleToUInt64Bits(x), 0UL, 0UL))];

    private static IEnumerable<double> Floats()
    {
        Random random = new(4);
        return Numbers.Concat(Enumerable.Range(0, 400).Select(_ => (random.NextDouble() - 0.5) * Math.Pow(2, random.Next(-40, 70))));
    }

    private static char Sort(string type) =>
        type switch
        {
            "u8" or "s8" or "u16" or "s16" or "f16" or "bf16" => 'h',
            "u32" or "s32" => 'r',
            "f32" => 'f',
            "f64" => 'd',
            _ => 'l',
        };

    private static int Width(string type) => int.Parse(type[1..], System.Globalization.CultureInfo.InvariantCulture);

    private static BigInteger Value(ulong bits, string type)
    {
        ulong cut = Width(type) == 64 ? bits : bits & ((1UL << Width(type)) - 1);
        return type[0] == 's' && (cut >> (Width(type) - 1)) != 0 ? (BigInteger)cut - (BigInteger.One << Width(type)) : cut;
    }

    private static (BigInteger Least, BigInteger Most) Range(string type) =>
        type[0] == 's'
            ? (-(BigInteger.One << (Width(type) - 1)), (BigInteger.One << (Width(type) - 1)) - 1)
            : (0, (BigInteger.One << Width(type)) - 1);

    private static ulong Bits(BigInteger value) => (ulong)(value & ulong.MaxValue);

    private static readonly string[] Integers = ["u8", "s8", "u16", "s16", "u32", "s32", "u64", "s64"];

    [Fact]
    public void IntegersToIntegers()
    {
        List<InstructionCase> cases = [];
        foreach (string to in Integers)
        {
            foreach (string from in Integers.Where(f => f != to))
            {
                cases.Add(new($"cvt.{to}.{from} $d, $a;", $"{Sort(to)}{Sort(from)}", (a, _, _) => Bits(Value(Bits(Value(a, from)), to))));
                if (Range(from).Least >= Range(to).Least && Range(from).Most <= Range(to).Most)
                {
                    // Nothing to saturate: PTX has no such form.
                    continue;
                }

                cases.Add(
                    new(
                        $"cvt.sat.{to}.{from} $d, $a;",
                        $"{Sort(to)}{Sort(from)}",
                        (a, _, _) => Bits(BigInteger.Max(Range(to).Least, BigInteger.Min(Range(to).Most, Value(a, from))))
                    )
                );
            }
        }

        InstructionBench.Check(IntegerOperands, cases);
    }

    [Fact]
    public void FloatsToIntegers()
    {
        foreach (string from in (string[])["f32", "f64", "f16"])
        {
            List<InstructionCase> cases = [];
            double Number(ulong bits) =>
                from switch
                {
                    "f32" => BitConverter.UInt32BitsToSingle((uint)bits),
                    "f64" => BitConverter.UInt64BitsToDouble(bits),
                    _ => (double)BitConverter.UInt16BitsToHalf((ushort)bits),
                };
            foreach (string to in Integers)
            {
                foreach (
                    (string mode, Func<double, double> round) in (IEnumerable<(string, Func<double, double>)>)
                        [("rni", x => Math.Round(x, MidpointRounding.ToEven)), ("rzi", Math.Truncate), ("rmi", Math.Floor), ("rpi", Math.Ceiling)]
                )
                {
                    cases.Add(
                        new(
                            $"cvt.{mode}.{to}.{from} $d, $a;",
                            $"{Sort(to)}{Sort(from)}",
                            (a, _, _) =>
                            {
                                double x = round(Number(a));
                                (BigInteger least, BigInteger most) = Range(to);
                                return double.IsNaN(x)
                                    ? 0
                                    : Bits(
                                        double.IsPositiveInfinity(x) ? most
                                        : double.IsNegativeInfinity(x) ? least
                                        : BigInteger.Max(least, BigInteger.Min(most, new BigInteger(x)))
                                    );
                            }
                        )
                    );
                }
            }

            InstructionBench.Check(from switch { "f32" => SingleOperands, "f64" => RealOperands, _ => AllHalves }, cases);
        }
    }

    [Fact]
    public void IntegersToFloats()
    {
        List<InstructionCase> cases = [];
        foreach (string from in Integers)
        {
            char s = Sort(from);
            cases.Add(new($"cvt.rn.f32.{from} $d, $a;", $"f{s}", (a, _, _) => BitConverter.SingleToUInt32Bits((float)Nearest(Value(a, from), 24))));
            cases.Add(new($"cvt.rn.f64.{from} $d, $a;", $"d{s}", (a, _, _) => BitConverter.DoubleToUInt64Bits(Nearest(Value(a, from), 53))));
            cases.Add(new($"cvt.rz.f32.{from} $d, $a;", $"f{s}", (a, _, _) => BitConverter.SingleToUInt32Bits((float)Cut(Value(a, from), 24))));
            cases.Add(new($"cvt.rn.f16.{from} $d, $a;", $"h{s}", (a, _, _) => BitConverter.HalfToUInt16Bits((Half)Nearest(Value(a, from), 11))));
        }

        InstructionBench.Check(IntegerOperands, cases);
    }

    /// <summary>A whole number with its bits beyond a precision cut off.</summary>
    private static double Cut(BigInteger value, int precision)
    {
        BigInteger magnitude = BigInteger.Abs(value);
        int extra = Math.Max(0, (int)magnitude.GetBitLength() - precision);
        return value.Sign * (double)((magnitude >> extra) << extra);
    }

    /// <summary>A whole number rounded to a precision, ties to even.</summary>
    private static double Nearest(BigInteger value, int precision)
    {
        BigInteger magnitude = BigInteger.Abs(value);
        int extra = Math.Max(0, (int)magnitude.GetBitLength() - precision);
        BigInteger kept = magnitude >> extra;
        BigInteger rest = magnitude - (kept << extra);
        BigInteger half = extra == 0 ? 1 : BigInteger.One << (extra - 1);
        kept += rest > half || (rest == half && !kept.IsEven) ? 1 : 0;
        return value.Sign * (double)(kept << extra);
    }

    private static ulong BFloat(float x) =>
        float.IsNaN(x) ? 0x7FFF : (BitConverter.SingleToUInt32Bits(x) + 0x7FFF + (BitConverter.SingleToUInt32Bits(x) >> 16 & 1)) >> 16;

    private static ulong HalfBits(double x) => double.IsNaN(x) ? 0x7FFFu : BitConverter.HalfToUInt16Bits((Half)x);

    private static float F(ulong bits) => BitConverter.UInt32BitsToSingle((uint)bits);

    [Fact]
    public void FloatsToFloats()
    {
        float Flush(float x) => Math.Abs(x) < 1.17549435e-38f ? MathF.CopySign(0, x) : x;
        InstructionCase[] single =
        [
            new("cvt.f64.f32 $d, $a;", "df", (a, _, _) => BitConverter.DoubleToUInt64Bits(F(a))),
            new("cvt.rn.f16.f32 $d, $a;", "hf", (a, _, _) => HalfBits(F(a))),
            new("cvt.rz.f16.f32 $d, $a;", "hf", (a, _, _) => TowardsZero(F(a))),
            new("cvt.rn.bf16.f32 $d, $a;", "hf", (a, _, _) => BFloat(F(a))),
            new("cvt.rn.bf16x2.f32 $d, $a, $b;", "rff", (a, b, _) => (BFloat(F(a)) << 16) | BFloat(F(b))),
            new("cvt.rn.f16x2.f32 $d, $a, $b;", "rff", (a, b, _) => (HalfBits(F(a)) << 16) | HalfBits(F(b))),
            new("cvt.rn.relu.bf16.f32 $d, $a;", "hf", (a, _, _) => F(a) < 0 || F(a) == 0 ? 0 : BFloat(F(a))),
            new(
                "cvt.rna.tf32.f32 $d, $a;",
                "rf",
                (a, _, _) =>
                    float.IsNaN(F(a)) ? 0x7FFFFFFF
                    : float.IsInfinity(F(a)) ? a
                    : (a + 0x1000) & 0xFFFFE000
            ),
            new("cvt.rni.f32.f32 $d, $a;", "ff", (a, _, _) => BitConverter.SingleToUInt32Bits(MathF.Round(F(a), MidpointRounding.ToEven))),
            new("cvt.rmi.f32.f32 $d, $a;", "ff", (a, _, _) => BitConverter.SingleToUInt32Bits(MathF.Floor(F(a)))),
            new("cvt.rpi.f32.f32 $d, $a;", "ff", (a, _, _) => BitConverter.SingleToUInt32Bits(MathF.Ceiling(F(a)))),
            new("cvt.rzi.f32.f32 $d, $a;", "ff", (a, _, _) => BitConverter.SingleToUInt32Bits(MathF.Truncate(F(a)))),
            new("cvt.sat.f32.f32 $d, $a;", "ff", (a, _, _) => BitConverter.SingleToUInt32Bits(F(a) > 0 ? MathF.Min(F(a), 1) : 0)),
            new("cvt.ftz.f32.f32 $d, $a;", "ff", (a, _, _) => BitConverter.SingleToUInt32Bits(Flush(F(a)))),
            new(
                "cvt.rni.ftz.s32.f32 $d, $a;",
                "rf",
                (a, _, _) =>
                    float.IsNaN(F(a)) ? 0 : (ulong)(int)Math.Clamp(Math.Round((double)F(a), MidpointRounding.ToEven), int.MinValue, int.MaxValue)
            ),
        ];
        InstructionBench.Check(SingleOperands, single);
        InstructionBench.Check(SingleOperands, single[..3], "sm_70", old: true);
        double D(ulong bits) => BitConverter.UInt64BitsToDouble(bits);
        InstructionBench.Check(
            RealOperands,
            [
                new("cvt.rn.f32.f64 $d, $a;", "fd", (a, _, _) => BitConverter.SingleToUInt32Bits((float)D(a))),
                new(
                    "cvt.rz.f32.f64 $d, $a;",
                    "fd",
                    (a, _, _) =>
                        BitConverter.SingleToUInt32Bits(
                            Math.Abs((double)(float)D(a)) > Math.Abs(D(a))
                                ? (D(a) > 0 ? MathF.BitDecrement((float)D(a)) : MathF.BitIncrement((float)D(a)))
                                : (float)D(a)
                        )
                ),
                new("cvt.rn.f16.f64 $d, $a;", "hd", (a, _, _) => HalfBits(D(a))),
                new("cvt.rni.f64.f64 $d, $a;", "dd", (a, _, _) => BitConverter.DoubleToUInt64Bits(Math.Round(D(a), MidpointRounding.ToEven))),
            ]
        );
        InstructionBench.Check(
            AllHalves,
            [
                new("cvt.f32.f16 $d, $a;", "fh", (a, _, _) => BitConverter.SingleToUInt32Bits((float)BitConverter.UInt16BitsToHalf((ushort)a))),
                new("cvt.f64.f16 $d, $a;", "dh", (a, _, _) => BitConverter.DoubleToUInt64Bits((double)BitConverter.UInt16BitsToHalf((ushort)a))),
                new(
                    "cvt.rni.f16.f16 $d, $a;",
                    "hh",
                    (a, _, _) => BitConverter.HalfToUInt16Bits(Half.Round(BitConverter.UInt16BitsToHalf((ushort)a)))
                ),
            ]
        );
    }

    private static ulong TowardsZero(float x)
    {
        Half nearest = (Half)x;
        if (float.IsNaN(x) || float.IsInfinity(x))
        {
            return HalfBits(x);
        }

        Half result =
            Half.IsInfinity(nearest) ? (x > 0 ? Half.MaxValue : Half.MinValue)
            : Math.Abs((float)nearest) > Math.Abs(x) ? (x > 0 ? Half.BitDecrement(nearest) : Half.BitIncrement(nearest))
            : nearest;
        return BitConverter.HalfToUInt16Bits(result);
    }

    private static readonly (ulong, ulong, ulong)[] AllHalves =
    [
        .. Enumerable.Range(0, 4096).Select(i => ((ulong)(i * 16 + (i % 16)) & 0xFFFF, (ulong)(i * 40503) & 0xFFFF, (ulong)(i * 30011) & 0xFFFF)),
    ];

    [Fact]
    public void HalfArithmetic()
    {
        double H(ulong bits) => (double)BitConverter.UInt16BitsToHalf((ushort)bits);
        ulong Min(ulong a, ulong b) => double.IsNaN(H(a)) ? (double.IsNaN(H(b)) ? 0x7FFF : b) : double.IsNaN(H(b)) ? a : HalfBits(Math.Min(H(a), H(b)));
        ulong Both(Func<ulong, ulong, ulong, ulong> f, ulong a, ulong b, ulong c) => f(a & 0xFFFF, b & 0xFFFF, c & 0xFFFF) | (f(a >> 16 & 0xFFFF, b >> 16 & 0xFFFF, c >> 16 & 0xFFFF) << 16);
        InstructionBench.Check(AllHalves,
        [
            new("add.f16 $d, $a, $b;", "hhh", (a, b, _) => HalfBits(H(a) + H(b))), new("sub.f16 $d, $a, $b;", "hhh", (a, b, _) => HalfBits(H(a) - H(b))), new("mul.f16 $d, $a, $b;", "hhh", (a, b, _) => HalfBits(H(a) * H(b))),
            new("neg.f16 $d, $a;", "hh", (a, _, _) => a ^ 0x8000), new("abs.f16 $d, $a;", "hh", (a, _, _) => a & 0x7FFF),
            new("min.f16 $d, $a, $b;", "hhh", (a, b, _) => Min(a, b)),
            new("add.sat.f16 $d, $a, $b;", "hhh", (a, b, _) => H(a) + H(b) > 0 ? HalfBits(Math.Min(1, H(a) + H(b))) : 0),
            new("setp.lt.f16 $d, $a, $b;", "phh", (a, b, _) => H(a) < H(b) ? 1UL : 0), new("setp.neu.f16 $d, $a, $b;", "phh", (a, b, _) => H(a) != H(b) ? 1UL : 0),
        ]);
        (ulong, ulong, ulong)[] pairs = [.. AllHalves.Select((o, i) => (o.Item1 | (AllHalves[(i + 77) % 4096].Item1 << 16), o.Item2 | (o.Item3 << 16), o.Item3 | (o.Item1 << 16)))];
        InstructionBench.Check([.. pairs.Where(p => Finite(p))],
        [
            new("add.f16x2 $d, $a, $b;", "rrr", (a, b, c) => Both((x, y, _) => HalfBits(H(x) + H(y)), a, b, c)),
            new("fma.rn.f16x2 $d, $a, $b, $c;", "rrrr", (a, b, c) => Both((x, y, z) => ExactHalf(H(x), H(y), H(z)), a, b, c)),
            new("mul.rn.f16x2 $d, $a, $b;", "rrr", (a, b, c) => Both((x, y, _) => HalfBits(H(x) * H(y)), a, b, c)),
        ]);
    }

    private static bool Finite((ulong, ulong, ulong) operands) =>
        new[] { operands.Item1, operands.Item2, operands.Item3 }.All(x => (x & 0x7C00) != 0x7C00 && (x >> 16 & 0x7C00) != 0x7C00);

    /// <summary>a b + c in fp16 with one rounding: all are whole multiples of 2^-48.</summary>
    private static ulong ExactHalf(double a, double b, double c)
    {
        BigInteger sum = (BigInteger)(a * b * Math.Pow(2, 48)) + (BigInteger)(c * Math.Pow(2, 48));
        if (sum.IsZero)
        {
            return HalfBits((a * b) + c);
        }

        // Halves have multiples of 2^-24; a number beyond their range becomes infinite by the conversion.
        int drop = Math.Max(24, (int)BigInteger.Abs(sum).GetBitLength() - 11);
        double rounded = Nearest(sum, (int)BigInteger.Abs(sum).GetBitLength() - drop);
        return rounded == 0 ? HalfBits(Math.CopySign(0, sum.Sign)) : HalfBits(rounded * Math.Pow(2, -48));
    }

    [Fact]
    public void BFloatArithmetic()
    {
        float B(ulong bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);
        (ulong, ulong, ulong)[] operands = [.. Enumerable.Range(0, 4096).Select(i => ((ulong)(0x3A00 + (i * 7 % 0x800)), (ulong)(0xBA00 + (i * 11 % 0x800)), (ulong)(0x3900 + (i * 13 % 0xA00))))];
        InstructionBench.Check(operands,
        [
            new("fma.rn.bf16 $d, $a, $b, $c;", "hhhh", (a, b, c) => BFloat(Odd(((double)B(a) * B(b)) + B(c)))),
            new("add.rn.bf16 $d, $a, $b;", "hhh", (a, b, _) => BFloat(B(a) + B(b))),
            new("max.bf16 $d, $a, $b;", "hhh", (a, b, _) => BFloat(MathF.Max(B(a), B(b)))),
            new("cvt.f32.bf16 $d, $a;", "fh", (a, _, _) => a << 16),
        ], "sm_90");
    }

    /// <summary>fp64 to fp32 without making ties that are none.</summary>
    private static float Odd(double x)
    {
        float nearest = (float)x;
        return nearest == x || (BitConverter.SingleToUInt32Bits(nearest) & 1) == 1 ? nearest
            : Math.Abs((double)nearest) < Math.Abs(x) ? BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(nearest) + 1)
            : BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(nearest) - 1);
    }
}
