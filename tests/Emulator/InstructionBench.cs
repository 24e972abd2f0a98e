using System.Globalization;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Tests.Emulator;

/// <summary>
/// Runs single instructions on many operands. An instruction is written with $d, $a, $b, $c for its registers, whose sorts (in the order d, a, b, c)
/// are letters as in inline PTX: h 16 bits, r 32, l 64, f fp32, d fp64, and p for a predicate as the result. All values go in and out as bits.
/// </summary>
internal static class InstructionBench
{
    /// <summary>Operands of all widths: every pair of the edges, then random ones.</summary>
    public static (ulong A, ulong B, ulong C)[] Operands(ulong[] edges, int random, int seed = 1)
    {
        Random source = new(seed);
        List<(ulong, ulong, ulong)> operands = [];
        for (int i = 0; i < edges.Length; i++)
        {
            for (int j = 0; j < edges.Length; j++)
            {
                operands.Add((edges[i], edges[j], edges[((3 * i) + (5 * j) + 1) % edges.Length]));
            }
        }

        for (int i = 0; i < random; i++)
        {
            ulong Next() => ((ulong)source.NextInt64() << 1) ^ (ulong)source.NextInt64();
            operands.Add((Next(), Next(), Next()));
        }

        return [.. operands];
    }

    /// <summary>Executes every case on every operand and compares with its reference.</summary>
    public static void Check(
        (ulong A, ulong B, ulong C)[] operands,
        IReadOnlyList<InstructionCase> cases,
        string architecture = "sm_80",
        bool old = false
    )
    {
        string source =
            "typedef unsigned long long u64;\nextern \"C\" __global__ void all(const u64* a, const u64* b, const u64* c, u64* out, int n)\n{\n"
            + "    int i = blockIdx.x * blockDim.x + threadIdx.x;\n    if (i >= n) return;\n"
            + string.Concat(cases.Select((c, k) => "    " + c.Code(k) + "\n"))
            + "}\n";
        using DeviceProgram program = new(source, architecture, old);
        CudaDeviceMemory a = program.Upload([.. operands.Select(o => o.A)]);
        CudaDeviceMemory b = program.Upload([.. operands.Select(o => o.B)]);
        CudaDeviceMemory c = program.Upload([.. operands.Select(o => o.C)]);
        CudaDeviceMemory output = program.Allocate<ulong>(operands.Length * (long)cases.Count);
        program.Launch("all", (operands.Length + 127) / 128, 128, a, b, c, output, operands.Length);
        ulong[] got = program.Read<ulong>(output);
        for (int k = 0; k < cases.Count; k++)
        {
            InstructionCase instruction = cases[k];
            for (int i = 0; i < operands.Length; i++)
            {
                (ulong x, ulong y, ulong z) = operands[i];
                ulong expected = instruction.Expected(x, y, z);
                ulong result = got[(k * operands.Length) + i];
                Assert.True(instruction.Same(expected, result), string.Create(CultureInfo.InvariantCulture,
                    $"{instruction.Text} of 0x{x:x}, 0x{y:x}, 0x{z:x}: wanted 0x{expected:x}, got 0x{result:x}"));
            }
        }
    }
}

/// <summary>An instruction with what it should give.</summary>
/// <param name="Text">The instruction.</param>
/// <param name="Sorts">Sorts of result and operands.</param>
/// <param name="Reference">Bits of the result from bits of the operands, cut to their widths.</param>
internal sealed record InstructionCase(string Text, string Sorts, Func<ulong, ulong, ulong, ulong> Reference)
{
    /// <summary>Relative error allowed, for approximate functions; 0 for exact bits.</summary>
    public double Tolerance { get; init; }

    public ulong Expected(ulong a, ulong b, ulong c) => Cut(Reference(Cut(a, 1), Cut(b, 2), Cut(c, 3)), 0);

    public bool Same(ulong expected, ulong got)
    {
        if (expected == got)
        {
            return true;
        }

        double x = Number(expected);
        double y = Number(got);
        return (double.IsNaN(x) && double.IsNaN(y)) || (Tolerance > 0 && Math.Abs(x - y) <= (Tolerance * Math.Abs(x)) + 1e-37);
    }

    public string Code(int k)
    {
        string load(char sort, char name) => sort switch
        {
            'h' => $"(unsigned short){name}[i]",
            'r' => $"(unsigned){name}[i]",
            'l' => $"{name}[i]",
            'f' => $"__uint_as_float((unsigned){name}[i])",
            _ => $"__longlong_as_double((long long){name}[i])",
        };
        string text = Text;
        string names = "dabc";
        for (int i = 0; i < Sorts.Length; i++)
        {
            text = text.Replace("$" + names[i], "%" + i, StringComparison.Ordinal);
        }

        string inputs = string.Join(", ", Enumerable.Range(1, Sorts.Length - 1).Select(i => $"\"{Sorts[i]}\"({load(Sorts[i], names[i])})"));
        (string declare, string constraint, string store) = Sorts[0] switch
        {
            'h' => ("unsigned short d", "=h", "d"),
            'r' or 'p' => ("unsigned d", "=r", "d"),
            'l' => ("u64 d", "=l", "d"),
            'f' => ("float d", "=f", "__float_as_uint(d)"),
            _ => ("double d", "=d", "(u64)__double_as_longlong(d)"),
        };
        string code = Sorts[0] == 'p' ? $"{{ .reg .pred p; {text.Replace("%0", "p", StringComparison.Ordinal)} selp.u32 %0, 1, 0, p; }}" : text;
        return $"{{ {declare}; asm volatile(\"{code}\" : \"{constraint}\"(d) : {inputs}); out[{k} * (u64)n + i] = {store}; }}";
    }

    private double Number(ulong bits) => Sorts[0] switch
    {
        'f' => BitConverter.UInt32BitsToSingle((uint)bits),
        'd' => BitConverter.UInt64BitsToDouble(bits),
        'h' when Text.Contains("bf16", StringComparison.Ordinal) => BitConverter.UInt32BitsToSingle((uint)bits << 16),
        'h' => (double)BitConverter.UInt16BitsToHalf((ushort)bits),
        _ => 0,
    };

    private ulong Cut(ulong bits, int operand) =>
        operand >= Sorts.Length
            ? 0
            : Sorts[operand] switch
            {
                'h' => (ushort)bits,
                'r' or 'f' => (uint)bits,
                'p' => bits & 1,
                _ => bits,
            };
}
