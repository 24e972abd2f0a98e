using System.Numerics;

namespace CoGrpo.Tests.Emulator;

/// <summary>Integer instructions against plain arithmetic in wide integers.</summary>
public class IntegerInstructionTests
{
    private static readonly ulong[] Edges =
    [
        0,
        1,
        2,
        3,
        7,
        31,
        32,
        33,
        63,
        64,
        65,
        127,
        128,
        255,
        256,
        0x7FFF,
        0x8000,
        0xFFFF,
        0x10000,
        0x7FFFFFFF,
        0x80000000,
        0xFFFFFFFF,
        0x100000000,
        0x7FFFFFFFFFFFFFFF,
        0x8000000000000000,
        ulong.MaxValue,
        ulong.MaxValue - 1,
        0xDEADBEEFCAFEF00D,
    ];

    private static readonly (ulong, ulong, ulong)[] Operands = InstructionBench.Operands(Edges, 400);

    private static BigInteger Value(ulong bits, string type)
    {
        int width = int.Parse(type[1..], System.Globalization.CultureInfo.InvariantCulture);
        ulong cut = width == 64 ? bits : bits & ((1UL << width) - 1);
        return type[0] == 's' && (cut >> (width - 1)) != 0 ? (BigInteger)cut - (BigInteger.One << width) : cut;
    }

    private static ulong Bits(BigInteger value) => (ulong)(value & ulong.MaxValue);

    private static char Sort(string type) => type[1..] switch { "16" => 'h', "32" => 'r', _ => 'l' };

    private static InstructionCase Of(string name, string type, Func<BigInteger, BigInteger, BigInteger, BigInteger> f, int operands = 2)
    {
        char s = Sort(type);
        string list = string.Join(", ", "$a,$b,$c".Split(',').Take(operands));
        return new InstructionCase(
            $"{name}.{type} $d, {list};",
            new string(s, operands + 1),
            (a, b, c) => Bits(f(Value(a, type), Value(b, type), Value(c, type)))
        );
    }

    public static TheoryData<string> Types => new() { "u16", "s16", "u32", "s32", "u64", "s64" };

    [Theory]
    [MemberData(nameof(Types))]
    public void Arithmetic(string type)
    {
        int width = int.Parse(type[1..], System.Globalization.CultureInfo.InvariantCulture);
        BigInteger ones = (BigInteger.One << width) - 1;
        List<InstructionCase> cases =
        [
            Of("add", type, (a, b, _) => a + b),
            Of("sub", type, (a, b, _) => a - b),
            Of("mul.lo", type, (a, b, _) => a * b),
            Of("mul.hi", type, (a, b, _) => (a * b) >> width),
            Of("mad.lo", type, (a, b, c) => (a * b) + c, 3),
            Of("div", type, (a, b, _) => b.IsZero ? ones : BigInteger.Divide(a, b)),
            Of("rem", type, (a, b, _) => b.IsZero ? a : BigInteger.Remainder(a, b)),
            Of("min", type, (a, b, _) => BigInteger.Min(a, b)),
            Of("max", type, (a, b, _) => BigInteger.Max(a, b)),
            Of("sad", type, (a, b, c) => BigInteger.Abs(a - b) + c, 3),
            Shift("shr", type, (a, n) => n >= width ? (a.Sign < 0 ? -1 : 0) : a >> n),
        ];
        if (type[0] == 's')
        {
            cases.Add(Of("neg", type, (a, _, _) => -a, 1));
            cases.Add(Of("abs", type, (a, _, _) => BigInteger.Abs(a), 1));
        }

        if (width == 32)
        {
            cases.Add(Of("mad.hi", type, (a, b, c) => ((a * b) >> 32) + c, 3));
            BigInteger Low24(BigInteger x) => type[0] == 's' ? Value(Bits(x) << 8, "s32") >> 8 : x & 0xFFFFFF;
            cases.Add(Of("mul24.lo", type, (a, b, _) => Low24(a) * Low24(b)));
            cases.Add(Of("mul24.hi", type, (a, b, _) => (Low24(a) * Low24(b)) >> 16));
            cases.Add(Of("mad24.lo", type, (a, b, c) => (Low24(a) * Low24(b)) + c, 3));
        }

        if (type == "s32")
        {
            cases.Add(Of("add.sat", type, (a, b, _) => BigInteger.Min(int.MaxValue, BigInteger.Max(int.MinValue, a + b))));
            cases.Add(Of("sub.sat", type, (a, b, _) => BigInteger.Min(int.MaxValue, BigInteger.Max(int.MinValue, a - b))));
        }

        if (width < 64)
        {
            char wide = width == 16 ? 'r' : 'l';
            string wider = $"{type[0]}{2 * width}";
            cases.Add(
                new InstructionCase(
                    $"mul.wide.{type} $d, $a, $b;",
                    $"{wide}{Sort(type)}{Sort(type)}",
                    (a, b, _) => Bits(Value(a, type) * Value(b, type))
                )
            );
            cases.Add(
                new InstructionCase(
                    $"mad.wide.{type} $d, $a, $b, $c;",
                    $"{wide}{Sort(type)}{Sort(type)}{wide}",
                    (a, b, c) => Bits((Value(a, type) * Value(b, type)) + Value(c, wider))
                )
            );
        }

        InstructionBench.Check(Operands, cases);
        if (type == "s32")
        {
            InstructionBench.Check(Operands, cases, "sm_70", old: true);
        }
    }

    private static InstructionCase Shift(string name, string type, Func<BigInteger, int, BigInteger> f) =>
        new($"{name}.{type} $d, $a, $b;", $"{Sort(type)}{Sort(type)}r", (a, b, _) => Bits(f(Value(a, type), (int)Math.Min(b, 1000))));

    [Fact]
    public void LogicAndShifts()
    {
        List<InstructionCase> cases = [];
        foreach (int width in (int[])[16, 32, 64])
        {
            string type = $"b{width}";
            string plain = $"u{width}";
            char s = Sort(type);
            cases.Add(new($"and.{type} $d, $a, $b;", $"{s}{s}{s}", (a, b, _) => a & b));
            cases.Add(new($"or.{type} $d, $a, $b;", $"{s}{s}{s}", (a, b, _) => a | b));
            cases.Add(new($"xor.{type} $d, $a, $b;", $"{s}{s}{s}", (a, b, _) => a ^ b));
            cases.Add(new($"not.{type} $d, $a;", $"{s}{s}", (a, _, _) => ~a));
            cases.Add(new($"cnot.{type} $d, $a;", $"{s}{s}", (a, _, _) => a == 0 ? 1UL : 0));
            cases.Add(new($"shl.{type} $d, $a, $b;", $"{s}{s}r", (a, b, _) => b >= (ulong)width ? 0 : a << (int)b));
            if (width > 16)
            {
                cases.Add(new($"popc.{type} $d, $a;", $"r{s}", (a, _, _) => (ulong)BitOperations.PopCount(a)));
                cases.Add(new($"clz.{type} $d, $a;", $"r{s}", (a, _, _) => (ulong)(width - 1 - (a == 0 ? -1 : BitOperations.Log2(a)))));
                cases.Add(
                    new(
                        $"brev.{type} $d, $a;",
                        $"{s}{s}",
                        (a, _, _) => Enumerable.Range(0, width).Aggregate(0UL, (r, i) => r | ((a >> i & 1) << (width - 1 - i)))
                    )
                );
                foreach (string sign in (string[])["u", "s"])
                {
                    ulong Find(ulong a)
                    {
                        BigInteger v = Value(a, sign + width);
                        ulong x = Bits(v.Sign < 0 ? ~v : v);
                        return x == 0 ? uint.MaxValue : (ulong)BitOperations.Log2(x);
                    }

                    cases.Add(new($"bfind.{sign}{width} $d, $a;", $"r{s}", (a, _, _) => Find(a)));
                    cases.Add(
                        new(
                            $"bfind.shiftamt.{sign}{width} $d, $a;",
                            $"r{s}",
                            (a, _, _) => Find(a) is var at && at == uint.MaxValue ? at : (ulong)width - 1 - at
                        )
                    );
                    cases.Add(
                        new(
                            $"bfe.{sign}{width} $d, $a, $b, $c;",
                            $"{s}{s}rr",
                            (a, b, c) =>
                            {
                                int start = (int)(b & 255);
                                int length = (int)(c & 255);
                                int signAt = Math.Min(start + length - 1, width - 1);
                                ulong fill = sign == "s" && length > 0 ? a >> signAt & 1 : 0;
                                ulong r = 0;
                                for (int i = 0; i < width; i++)
                                {
                                    r |= (i < length && start + i < width ? a >> (start + i) & 1 : fill) << i;
                                }

                        return r;
                    }));
                }

                // The position and the length come from one operand, so that inserting has only three.
                cases.Add(new($"{{ .reg .b32 n; shr.b32 n, $c, 8; bfi.b{width} $d, $a, $b, $c, n; }}", $"{s}{s}{s}r", (a, b, c) =>
                {
                    int start = (int)(c & 255);
                    int length = (int)(c >> 8 & 255);
                    ulong r = b;
                    for (int i = 0; i < length && start + i < width; i++)
                    {
                        r = (r & ~(1UL << (start + i))) | ((i < 64 ? a >> i & 1 : 0) << (start + i));
                    }

                    return r;
                }));
            }
        }

        InstructionBench.Check(Operands, cases);
    }

    [Fact]
    public void BytesAndFunnels()
    {
        ulong Permute(ulong a, ulong b, ulong selector)
        {
            ulong bytes = a | (b << 32);
            ulong r = 0;
            for (int i = 0; i < 4; i++)
            {
                int pick = (int)(selector >> (4 * i)) & 15;
                ulong value = bytes >> (8 * (pick & 7)) & 255;
                r |= (pick > 7 ? ((value & 128) != 0 ? 255UL : 0) : value) << (8 * i);
            }

            return r;
        }

        ulong Funnel(ulong a, ulong b, int n, bool right) => right ? (a | (b << 32)) >> n : ((a | (b << 32)) << n) >> 32;
        int Dot(ulong a, ulong b, bool signedA, bool signedB) =>
            Enumerable
                .Range(0, 4)
                .Sum(i => (signedA ? (sbyte)(a >> (8 * i)) : (byte)(a >> (8 * i))) * (signedB ? (sbyte)(b >> (8 * i)) : (byte)(b >> (8 * i))));
        ulong Lop(ulong a, ulong b, ulong c, int table) =>
            Enumerable
                .Range(0, 32)
                .Aggregate(0UL, (r, i) => r | ((ulong)(table >> (int)(((a >> i & 1) << 2) | ((b >> i & 1) << 1) | (c >> i & 1)) & 1) << i));
        List<InstructionCase> cases =
        [
            new("prmt.b32 $d, $a, $b, $c;", "rrrr", Permute),
            new("prmt.b32.f4e $d, $a, $b, $c;", "rrrr", (a, b, c) => Permute(a, b, ((c & 3) * 0x1111) + 0x3210)),
            new("prmt.b32.rc8 $d, $a, $b, $c;", "rrrr", (a, b, c) => Permute(a, b, (c & 3) * 0x1111)),
            new("prmt.b32.rc16 $d, $a, $b, $c;", "rrrr", (a, b, c) => Permute(a, b, (c & 1) == 0 ? 0x1010UL : 0x3232)),
            new("prmt.b32.ecl $d, $a, $b, $c;", "rrrr", (a, b, c) => Permute(a, b, new ulong[] { 0x3210, 0x3211, 0x3222, 0x3333 }[c & 3])),
            new("prmt.b32.ecr $d, $a, $b, $c;", "rrrr", (a, b, c) => Permute(a, b, new ulong[] { 0x0000, 0x1110, 0x2210, 0x3210 }[c & 3])),
            new("prmt.b32.b4e $d, $a, $b, $c;", "rrrr", (a, b, c) => Permute(a, b, new ulong[] { 0x5670, 0x6701, 0x7012, 0x0123 }[c & 3])),
            new("shf.l.clamp.b32 $d, $a, $b, $c;", "rrrr", (a, b, c) => Funnel(a, b, (int)Math.Min(c, 32), false)),
            new("shf.r.clamp.b32 $d, $a, $b, $c;", "rrrr", (a, b, c) => Funnel(a, b, (int)Math.Min(c, 32), true)),
            new("shf.l.wrap.b32 $d, $a, $b, $c;", "rrrr", (a, b, c) => Funnel(a, b, (int)(c & 31), false)),
            new("shf.r.wrap.b32 $d, $a, $b, $c;", "rrrr", (a, b, c) => Funnel(a, b, (int)(c & 31), true)),
            new("dp4a.u32.u32 $d, $a, $b, $c;", "rrrr", (a, b, c) => (ulong)Dot(a, b, false, false) + c),
            new("dp4a.s32.s32 $d, $a, $b, $c;", "rrrr", (a, b, c) => (ulong)Dot(a, b, true, true) + c),
            new("dp4a.s32.u32 $d, $a, $b, $c;", "rrrr", (a, b, c) => (ulong)Dot(a, b, true, false) + c),
            new("dp2a.lo.u32.u32 $d, $a, $b, $c;", "rrrr", (a, b, c) => ((a & 0xFFFF) * (b & 255)) + ((a >> 16) * (b >> 8 & 255)) + c),
            new(
                "dp2a.hi.s32.u32 $d, $a, $b, $c;",
                "rrrr",
                (a, b, c) => (ulong)((short)a * (long)(b >> 16 & 255)) + (ulong)((short)(a >> 16) * (long)(b >> 24)) + c
            ),
        ];
        foreach (int table in (int[])[0x80, 0xE8, 0x96, 0x1D, 0xFE, 0x01, 0xCA])
        {
            cases.Add(new($"lop3.b32 $d, $a, $b, $c, 0x{table:x};", "rrrr", (a, b, c) => Lop(a, b, c, table)));
        }

        InstructionBench.Check(Operands, cases);
    }

    [Fact]
    public void HeldToARange()
    {
        long S(ulong x) => (int)x;
        ulong Two(ulong a, ulong b, Func<long, long, long> f) =>
            (ushort)f((short)a, (short)b) | ((ulong)(ushort)f((short)(a >> 16), (short)(b >> 16)) << 16);
        InstructionBench.Check(
            Operands,
            [
                new("add.sat.s32 $d, $a, $b;", "rrr", (a, b, _) => (ulong)Math.Clamp(S(a) + S(b), int.MinValue, int.MaxValue)),
                new("sub.sat.s32 $d, $a, $b;", "rrr", (a, b, _) => (ulong)Math.Clamp(S(a) - S(b), int.MinValue, int.MaxValue)),
                new("min.s32.relu $d, $a, $b;", "rrr", (a, b, _) => (ulong)Math.Max(0, Math.Min(S(a), S(b)))),
                new("max.s32.relu $d, $a, $b;", "rrr", (a, b, _) => (ulong)Math.Max(0, Math.Max(S(a), S(b)))),
                new("min.s16x2.relu $d, $a, $b;", "rrr", (a, b, _) => Two(a, b, (x, y) => Math.Max(0, Math.Min(x, y)))),
                new("max.s16x2 $d, $a, $b;", "rrr", (a, b, _) => Two(a, b, Math.Max)),
                new("add.u16x2 $d, $a, $b;", "rrr", (a, b, _) => Two(a, b, (x, y) => x + y)),
                new(
                    "cvt.pack.sat.s16.s32 $d, $a, $b;",
                    "rrr",
                    (a, b, _) => ((ulong)(ushort)Math.Clamp(S(a), -32768, 32767) << 16) | (ushort)Math.Clamp(S(b), -32768, 32767)
                ),
                new(
                    "cvt.pack.sat.u16.s32 $d, $a, $b;",
                    "rrr",
                    (a, b, _) => ((ulong)(ushort)Math.Clamp(S(a), 0, 65535) << 16) | (ushort)Math.Clamp(S(b), 0, 65535)
                ),
                new(
                    "cvt.pack.sat.s8.s32.b32 $d, $a, $b, $c;",
                    "rrrr",
                    (a, b, c) => (c << 16) | ((ulong)(byte)Math.Clamp(S(a), -128, 127) << 8) | (byte)Math.Clamp(S(b), -128, 127)
                ),
                new(
                    "cvt.pack.sat.u8.s32.b32 $d, $a, $b, $c;",
                    "rrrr",
                    (a, b, c) => (c << 16) | ((ulong)(byte)Math.Clamp(S(a), 0, 255) << 8) | (byte)Math.Clamp(S(b), 0, 255)
                ),
            ],
            "sm_90"
        );
    }

    [Fact]
    public void HalvesAndBytesOfWords()
    {
        List<InstructionCase> cases = [];
        bool[] signs = [false, true];
        foreach (
            (int count, bool a, bool b, bool d) in from count in (int[])[2, 4]
            from a in signs
            from b in signs
            from d in signs
            select (count, a, b, d)
        )
        {
            int width = 32 / count;
            string S(bool signed) => signed ? "s32" : "u32";
            int Element(ulong word, int i, bool signed) => (int)Value(word >> (i * width), (signed ? "s" : "u") + width);
            foreach (
                (string name, Func<int, int, int> f) in ((string, Func<int, int, int>)[])
                    [("add", (x, y) => x + y), ("sub", (x, y) => x - y), ("absdiff", (x, y) => Math.Abs(x - y)), ("min", Math.Min), ("max", Math.Max)]
            )
            {
                (long least, long most) = d ? (-1L << (width - 1), (1L << (width - 1)) - 1) : (0, (1L << width) - 1);
                ulong Pack(ulong x, ulong y, Func<long, long> end) =>
                    Enumerable
                        .Range(0, count)
                        .Aggregate(0UL, (w, i) => w | (((ulong)end(f(Element(x, i, a), Element(y, i, b))) & ((1UL << width) - 1)) << (i * width)));
                string types = $"{S(d)}.{S(a)}.{S(b)}";
                cases.Add(new($"v{name}{count}.{types} $d, $a, $b, $c;", "rrrr", (x, y, _) => Pack(x, y, v => v)));
                cases.Add(new($"v{name}{count}.{types}.sat $d, $a, $b, $c;", "rrrr", (x, y, _) => Pack(x, y, v => Math.Clamp(v, least, most))));
                cases.Add(
                    new(
                        $"v{name}{count}.{types}.add $d, $a, $b, $c;",
                        "rrrr",
                        (x, y, z) =>
                            Enumerable
                                .Range(0, count)
                                .Aggregate(z, (w, i) => w + Bits(Value((ulong)(long)f(Element(x, i, a), Element(y, i, b)), (d ? "s" : "u") + width)))
                    )
                );
            }

            foreach (
                (string name, Func<int, int, bool> f) in ((string, Func<int, int, bool>)[])
                    [
                        ("eq", (x, y) => x == y),
                        ("ne", (x, y) => x != y),
                        ("lt", (x, y) => x < y),
                        ("le", (x, y) => x <= y),
                        ("gt", (x, y) => x > y),
                        ("ge", (x, y) => x >= y),
                    ]
            )
            {
                cases.Add(
                    new(
                        $"vset{count}.{S(a)}.{S(b)}.{name} $d, $a, $b, $c;",
                        "rrrr",
                        (x, y, _) =>
                            Enumerable.Range(0, count).Aggregate(0UL, (w, i) => w | (f(Element(x, i, a), Element(y, i, b)) ? 1UL << (i * width) : 0))
                    )
                );
            }
        }

        InstructionBench.Check(InstructionBench.Operands([0, 1, 0x7F80FF01, 0x8000FFFF, 0x7FFF8001, 0xFFFFFFFF], 100), cases);
    }

    [Fact]
    public void CarryChains()
    {
        // 64-bit sums out of 32-bit halves, 128-bit ones out of 64-bit halves, and the upper half of a long product.
        const string Halves = "{ .reg .u32 a0, a1, b0, b1, r0, r1; mov.b64 {a0, a1}, $a; mov.b64 {b0, b1}, $b; ";
        InstructionCase[] cases =
        [
            new(Halves + "add.cc.u32 r0, a0, b0; addc.u32 r1, a1, b1; mov.b64 $d, {r0, r1}; }", "lll", (a, b, _) => a + b),
            new(Halves + "sub.cc.u32 r0, a0, b0; subc.u32 r1, a1, b1; mov.b64 $d, {r0, r1}; }", "lll", (a, b, _) => a - b),
            new("{ .reg .u64 r; add.cc.u64 r, $a, $b; addc.u64 $d, $c, 0; }", "llll", (a, b, c) => c + (a + b < a ? 1UL : 0)),
            new("{ .reg .u64 r; sub.cc.u64 r, $a, $b; subc.u64 $d, $c, 5; }", "llll", (a, b, c) => c - 5 - (a < b ? 1UL : 0)),
            new(
                Halves
                    + "mul.lo.u32 r0, a0, b0; mul.hi.u32 r1, a0, b0; mad.lo.cc.u32 r1, a0, b1, r1; mad.lo.u32 r1, a1, b0, r1; mov.b64 $d, {r0, r1}; }",
                "lll",
                (a, b, _) => a * b
            ),
            new(
                "{ .reg .u32 r, s; mad.lo.cc.u32 r, $a, $b, $c; madc.hi.u32 s, $a, $b, 0; mov.b32 $d, s; }",
                "rrrr",
                (a, b, c) => ((a * b) + c) >> 32
            ),
            // Where nothing was borrowed the carry is set.
            new("{ .reg .u32 r; sub.cc.u32 r, $a, $b; addc.u32 $d, $c, 0; }", "rrrr", (a, b, c) => c + (a >= b ? 1UL : 0)),
            new("{ .reg .u64 r; sub.cc.u64 r, $a, $b; addc.u64 $d, $c, 0; }", "llll", (a, b, c) => c + (a >= b ? 1UL : 0)),
            new(
                "{ .reg .u64 r; mad.lo.cc.u64 r, $a, $b, $c; madc.hi.u64 $d, $a, $b, 7; }",
                "llll",
                (a, b, c) => (ulong)((((UInt128)a * b) + c) >> 64) + 7
            ),
        ];
        InstructionBench.Check(Operands, cases);
    }

    [Fact]
    public void Comparisons()
    {
        List<InstructionCase> cases = [];
        foreach (string type in (string[])["u16", "s16", "u32", "s32", "u64", "s64"])
        {
            char s = Sort(type);
            void Add(string relation, Func<BigInteger, BigInteger, bool> f) =>
                cases.Add(new($"setp.{relation}.{type} $d, $a, $b;", $"p{s}{s}", (a, b, _) => f(Value(a, type), Value(b, type)) ? 1UL : 0));
            Add("eq", (a, b) => a == b);
            Add("ne", (a, b) => a != b);
            Add("lt", (a, b) => a < b);
            Add("le", (a, b) => a <= b);
            Add("gt", (a, b) => a > b);
            Add("ge", (a, b) => a >= b);
            cases.Add(
                new(
                    $"{{ .reg .pred q, s, t; setp.lt.{type} q, $b, $c; setp.ge.and.{type} s|t, $a, $b, !q; selp.b32 $d, 1, 0, t; }}",
                    $"r{s}{s}{s}",
                    (a, b, c) => Value(a, type) < Value(b, type) && Value(b, type) >= Value(c, type) ? 1UL : 0
                )
            );
            cases.Add(new($"set.gt.u32.{type} $d, $a, $b;", $"r{s}{s}", (a, b, _) => Value(a, type) > Value(b, type) ? uint.MaxValue : 0UL));
            cases.Add(new($"set.le.f32.{type} $d, $a, $b;", $"f{s}{s}", (a, b, _) => Value(a, type) <= Value(b, type) ? 0x3F800000UL : 0));
        }

        cases.Add(new("{ .reg .pred q; setp.hi.u32 q, $a, $b; selp.b32 $d, $a, $b, q; }", "rrr", (a, b, _) => Math.Max(a, b)));
        cases.Add(new("slct.u32.s32 $d, $a, $b, $c;", "rrrr", (a, b, c) => (int)c >= 0 ? a : b));
        cases.Add(new("slct.u64.f32 $d, $a, $b, $c;", "lllf", (a, b, c) => BitConverter.UInt32BitsToSingle((uint)c) >= 0 ? a : b));
        InstructionBench.Check(Operands, cases);
    }
}
