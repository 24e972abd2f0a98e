using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Tests.Runtime.OperationTable;

/// <summary>
/// What every operation of every backend must satisfy in the backend's storage type. Values go in and out through Upload and Download
/// only, so any backend can be passed.
/// </summary>
internal static class OperationChecks
{
    private const int FiniteDifferenceSamples = 24;

    /// <summary>
    /// Kernel error at most a small multiple of that of the plain form of the same precision; outputs in fp32 may be one ulp of the largest
    /// value worse, outputs in bf16 nothing. Returns the worst ratio of error to allowance.
    /// </summary>
    public static double Accuracy(IBackend backend, OperationRow row, IMemoryWatch? watch = null)
    {
        ulong[][] bits = OperationRun.Draw(row, backend.Storage);
        ulong[][] got = OperationRun.Execute(backend, row, bits, watch: watch);
        (Operands<double> exact, Operands<float> plain) = References(row, bits, backend.Storage);
        double worst = 0;
        for (int i = 0; i < bits.Length; i++)
        {
            Operand operand = row.Operands[i];
            ElementType type = operand.Stored(backend.Storage);
            if (!operand.IsOutput)
            {
                continue;
            }

            if (type == ElementType.Int32)
            {
                Assert.Equal(exact.Integers(i), Array.ConvertAll(got[i], b => (int)(uint)b));
                continue;
            }

            (double kernelError, int at) = (0, 0);
            for (int j = 0; j < operand.Count; j++)
            {
                double value = ElementBits.Value(type, got[i][j]);
                double error = Math.Abs(value - exact[i][j]);
                Assert.True(double.IsFinite(value), $"{row}: {operand.Name}[{j}] is {value}, wanted {exact[i][j]:R}");
                (kernelError, at) = error > kernelError ? (error, j) : (kernelError, at);
            }

            double allowed = Allowance(row, type, exact[i], plain[i]);
            worst = Math.Max(worst, kernelError == 0 ? 0 : kernelError / allowed);
            Assert.True(kernelError <= allowed,
                $"{row}: {operand.Name}[{at}] is {ElementBits.Value(type, got[i][at]):R}, wanted {exact[i][at]:R}; error {kernelError:g3}, allowed {allowed:g3} in {type}");
        }

        return worst;
    }

    /// <summary>
    /// Gradients of the kernel are the central differences of the fp64 forward formula, in bf16 within the allowance of <see cref="Accuracy"/>.
    /// </summary>
    public static void FiniteDifferences(IBackend backend, OperationRow row)
    {
        if (row.Gradients.Length == 0)
        {
            return;
        }

        ElementType storage = backend.Storage;
        ulong[][] bits = OperationRun.Draw(row, storage);
        ulong[][] got = OperationRun.Execute(backend, row, bits);
        Operands<double> point = new(row, bits, storage);
        (Operands<double> exact, Operands<float> plain) = References(row, bits, storage);
        foreach ((int at, int gradient) in row.Gradients)
        {
            double[] x = point[at];
            ElementType type = row.Operands[gradient].Stored(storage);
            bool adds = row.Operands[gradient].Role == Role.InOut;
            double scale = 1e-3 + exact[gradient].Max(Math.Abs);
            double formulaAllowed = 2e-6 * scale;
            double kernelAllowed =
                type == ElementType.BFloat16 ? Allowance(row, type, exact[gradient], plain[gradient]) + formulaAllowed : 1e-5 * scale;
            int step = Math.Max(1, x.Length / FiniteDifferenceSamples);
            for (int j = 0; j < x.Length; j += step)
            {
                double value = x[j];
                double h = 1e-5 * Math.Max(1, Math.Abs(value));
                x[j] = value + h;
                double above = row.Loss(point);
                x[j] = value - h;
                double slope = (above - row.Loss(point)) / (2 * h);
                x[j] = value;
                double before = adds ? ElementBits.Value(type, bits[gradient][j]) : 0;
                double kernel = ElementBits.Value(type, got[gradient][j]) - before;
                string where = $"{row}: d/d {row.Operands[at].Name}[{j}]";
                Assert.True(
                    Math.Abs(exact[gradient][j] - before - slope) <= formulaAllowed,
                    $"{where}: the formula says {exact[gradient][j] - before:R}, central differences {slope:R}"
                );
                Assert.True(Math.Abs(kernel - slope) <= kernelAllowed, $"{where}: the kernel says {kernel:R}, central differences {slope:R}");
            }
        }
    }

    /// <summary>
    /// Bit-equal results on backends that differ in nothing but their number of threads (or on one backend again), and of an image alone, in
    /// a smaller batch and in the whole one.
    /// </summary>
    public static void SameBits(IReadOnlyList<IBackend> backends, OperationRow row)
    {
        ulong[][] bits = OperationRun.Draw(row, backends[0].Storage);
        ulong[][]? first = null;
        for (int k = 0; k < backends.Count; k++)
        {
            IBackend backend = backends[k];
            ulong[][] got = OperationRun.Execute(backend, row, bits);
            first ??= got;
            for (int i = 0; i < got.Length; i++)
            {
                AssertSame(row, i, backend.Storage, first[i], got[i], $"on backend {k}");
            }

            foreach ((int start, int count) in Splits(row.Images))
            {
                OperationRow smaller = row.With(count);
                ulong[][] part = OperationRun.Execute(backend, smaller, OperationRun.Slice(row, bits, start, count));
                ulong[][] expected = OperationRun.Slice(row, first, start, count);
                for (int i = 0; i < part.Length; i++)
                {
                    // A sum over the batch is another number for a part of it; only what belongs to an image has to be the same.
                    if (!row.Operands[i].Shared)
                    {
                        AssertSame(row, i, backend.Storage, expected[i], part[i], $"of {count} images from {start} on on backend {k}");
                    }
                }
            }
        }
    }

    /// <summary>Bit-equal results when an output shares the memory of an input that the contract allows.</summary>
    public static void Aliases(IBackend backend, OperationRow row, IMemoryWatch? watch = null)
    {
        ulong[][] bits = OperationRun.Draw(row, backend.Storage);
        foreach ((int input, int output) in row.Aliases)
        {
            ulong[][] apart = OperationRun.Execute(backend, row, bits);
            ulong[][] shared = OperationRun.Execute(backend, row, bits, (input, output), watch);
            AssertSame(row, output, backend.Storage, apart[output], shared[output], $"in the memory of {row.Operands[input].Name}");
        }
    }

    /// <summary>The formula in fp64 and the plain form of the storage's precision, both from the values that the kernel saw.</summary>
    private static (Operands<double> Exact, Operands<float> Plain) References(OperationRow row, ulong[][] bits, ElementType storage)
    {
        Operands<double> exact = new(row, bits, storage);
        Operands<float> plain = new(row, bits, storage);
        row.Reference(exact);
        row.PlainForm(plain, storage);
        for (int i = 0; i < bits.Length; i++)
        {
            ElementType type = row.Operands[i].Stored(storage);
            if (row.Operands[i].IsOutput && type == ElementType.BFloat16)
            {
                for (int j = 0; j < plain[i].Length; j++)
                {
                    plain[i][j] = (float)ElementBits.Value(type, ElementBits.Of(type, plain[i][j]));
                }
            }
        }

        return (exact, plain);
    }

    private static double Allowance(OperationRow row, ElementType type, double[] exact, float[] plain)
    {
        (double plainError, double scale) = (0, 0);
        for (int j = 0; j < exact.Length; j++)
        {
            plainError = Math.Max(plainError, Math.Abs(plain[j] - exact[j]));
            scale = Math.Max(scale, Math.Abs(exact[j]));
        }

        if (type == ElementType.Float64)
        {
            return row.Slack * scale;
        }

        double ulp = type == ElementType.BFloat16 ? 0 : MathF.BitIncrement((float)scale) - (float)scale;
        return (row.Factor * plainError) + ulp;
    }

    private static IEnumerable<(int Start, int Count)> Splits(int images) => images switch
    {
        1 => [],
        2 => [(0, 1), (1, 1)],
        _ => [(0, 1), (1, images - 2), (images - 1, 1), (0, images - 1)],
    };

    private static void AssertSame(OperationRow row, int operand, ElementType storage, ulong[] expected, ulong[] got, string where)
    {
        ElementType type = row.Operands[operand].Stored(storage);
        for (int j = 0; j < expected.Length; j++)
        {
            Assert.True(expected[j] == got[j],
                $"{row}: {row.Operands[operand].Name} {where}: element {j} is {ElementBits.Value(type, got[j]):R}, wanted {ElementBits.Value(type, expected[j]):R}");
        }
    }
}
