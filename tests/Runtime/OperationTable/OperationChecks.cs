using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Tests.Runtime.OperationTable;

/// <summary>What every operation of every backend must satisfy. Values go in and out through Upload and Download only, so any backend can be passed.</summary>
internal static class OperationChecks
{
    private const int FiniteDifferenceSamples = 24;

    /// <summary>Kernel error at most a small multiple of that of the plain fp32 form, plus one ulp of the largest value. Returns the worst ratio of error to allowance.</summary>
    public static double Accuracy(IBackend backend, OperationRow row)
    {
        uint[][] bits = OperationRun.Draw(row);
        uint[][] got = OperationRun.Execute(backend, row, bits);
        Operands<double> exact = new(row, bits);
        Operands<float> plain = new(row, bits);
        row.Reference(exact);
        row.Reference(plain);
        double worst = 0;
        for (int i = 0; i < bits.Length; i++)
        {
            Operand operand = row.Operands[i];
            if (!operand.IsOutput)
            {
                continue;
            }

            if (operand.Type == ElementType.Int32)
            {
                Assert.Equal(exact.Integers(i), Array.ConvertAll(got[i], b => (int)b));
                continue;
            }

            (double kernelError, double plainError, double scale, int at) = (0, 0, 0, 0);
            for (int j = 0; j < operand.Count; j++)
            {
                double value = BitConverter.UInt32BitsToSingle(got[i][j]);
                double error = Math.Abs(value - exact[i][j]);
                Assert.True(double.IsFinite(value), $"{row}: {operand.Name}[{j}] is {value}, wanted {exact[i][j]:R}");
                (kernelError, at) = error > kernelError ? (error, j) : (kernelError, at);
                plainError = Math.Max(plainError, Math.Abs(plain[i][j] - exact[i][j]));
                scale = Math.Max(scale, Math.Abs(exact[i][j]));
            }

            double allowed = (row.Factor * plainError) + (MathF.BitIncrement((float)scale) - (float)scale);
            worst = Math.Max(worst, kernelError / allowed);
            Assert.True(kernelError <= allowed,
                $"{row}: {operand.Name}[{at}] is {BitConverter.UInt32BitsToSingle(got[i][at]):R}, wanted {exact[i][at]:R}; error {kernelError:g3}, allowed {allowed:g3}, plain form {plainError:g3}");
        }

        return worst;
    }

    /// <summary>Gradients of the kernel are the central differences of the fp64 forward formula.</summary>
    public static void FiniteDifferences(IBackend backend, OperationRow row)
    {
        if (row.Gradients.Length == 0)
        {
            return;
        }

        uint[][] bits = OperationRun.Draw(row);
        uint[][] got = OperationRun.Execute(backend, row, bits);
        Operands<double> point = new(row, bits);
        Operands<double> exact = new(row, bits);
        row.Reference(exact);
        foreach ((int at, int gradient) in row.Gradients)
        {
            double[] x = point[at];
            bool adds = row.Operands[gradient].Role == Role.InOut;
            double scale = 1e-3 + exact[gradient].Max(Math.Abs);
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
                double before = adds ? BitConverter.UInt32BitsToSingle(bits[gradient][j]) : 0;
                double kernel = BitConverter.UInt32BitsToSingle(got[gradient][j]) - before;
                string where = $"{row}: d/d {row.Operands[at].Name}[{j}]";
                Assert.True(Math.Abs(exact[gradient][j] - before - slope) <= 2e-6 * scale, $"{where}: the formula says {exact[gradient][j] - before:R}, central differences {slope:R}");
                Assert.True(Math.Abs(kernel - slope) <= 1e-5 * scale, $"{where}: the kernel says {kernel:R}, central differences {slope:R}");
            }
        }
    }

    /// <summary>Bit-equal results on backends that differ in nothing but their number of threads, and of an image alone, in a smaller batch and in the whole one.</summary>
    public static void SameBits(IReadOnlyList<IBackend> backends, OperationRow row)
    {
        uint[][] bits = OperationRun.Draw(row);
        uint[][]? first = null;
        for (int k = 0; k < backends.Count; k++)
        {
            IBackend backend = backends[k];
            uint[][] got = OperationRun.Execute(backend, row, bits);
            first ??= got;
            for (int i = 0; i < got.Length; i++)
            {
                AssertSame(first[i], got[i], $"{row}: {row.Operands[i].Name} on backend {k}");
            }

            foreach ((int start, int count) in Splits(row.Images))
            {
                OperationRow smaller = row.With(count);
                uint[][] part = OperationRun.Execute(backend, smaller, OperationRun.Slice(row, bits, start, count));
                uint[][] expected = OperationRun.Slice(row, first, start, count);
                for (int i = 0; i < part.Length; i++)
                {
                    // A sum over the batch is another number for a part of it; only what belongs to an image has to be the same.
                    if (!row.Operands[i].Shared)
                    {
                        AssertSame(expected[i], part[i], $"{row}: {row.Operands[i].Name} of {count} images from {start} on on backend {k}");
                    }
                }
            }
        }
    }

    /// <summary>Bit-equal results when an output shares the memory of an input that the contract allows.</summary>
    public static void Aliases(IBackend backend, OperationRow row)
    {
        uint[][] bits = OperationRun.Draw(row);
        foreach ((int input, int output) in row.Aliases)
        {
            uint[][] apart = OperationRun.Execute(backend, row, bits);
            uint[][] shared = OperationRun.Execute(backend, row, bits, (input, output));
            AssertSame(apart[output], shared[output], $"{row}: {row.Operands[output].Name} in the memory of {row.Operands[input].Name}");
        }
    }

    private static IEnumerable<(int Start, int Count)> Splits(int images) => images switch
    {
        1 => [],
        2 => [(0, 1), (1, 1)],
        _ => [(0, 1), (1, images - 2), (images - 1, 1), (0, images - 1)],
    };

    private static void AssertSame(uint[] expected, uint[] got, string what)
    {
        for (int j = 0; j < expected.Length; j++)
        {
            Assert.True(expected[j] == got[j], $"{what}: element {j} is {BitConverter.UInt32BitsToSingle(got[j]):R}, wanted {BitConverter.UInt32BitsToSingle(expected[j]):R}");
        }
    }
}
