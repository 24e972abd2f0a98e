using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends.Cpu;

namespace CoGrpo.Tests.Runtime;

/// <summary>
/// A CPU backend with tensors made from arrays. Every tensor stands in memory full of NaN, with room between its rows when asked for,
/// so that an element that is read but not given, or not written, shows in the result.
/// </summary>
internal sealed unsafe class RowOperationHost : IDisposable
{
    private readonly Arena _arena;

    public RowOperationHost(int threads)
    {
        Backend = new CpuBackend(threads);
        _arena = Backend.CreateArena("test", 1 << 20);
    }

    public CpuBackend Backend { get; }

    public Tensor Poisoned(Shape shape, int padding = 0)
    {
        Tensor memory = _arena.Allocate(new Shape(Math.Max(1, shape.Rows), shape.Columns + (2 * padding)));
        new Span<float>((void*)memory.Address, (int)memory.Shape.Count).Fill(float.NaN);
        return new Tensor(memory.Address + (padding * sizeof(float)), shape, ElementType.Float32, shape.Columns + (2 * padding));
    }

    public Tensor Put(double[] values, Shape shape, int padding = 0)
    {
        Assert.Equal(shape.Count, values.Length);
        Tensor tensor = Poisoned(shape, padding);
        for (int row = 0; row < shape.Rows; row++)
        {
            for (int c = 0; c < shape.Columns; c++)
            {
                ((float*)tensor.Address)[(row * tensor.RowStride) + c] = (float)values[(row * shape.Columns) + c];
            }
        }

        return tensor;
    }

    public Tensor Put(int[] values, Shape shape)
    {
        Tensor tensor = _arena.Allocate(shape, ElementType.Int32);
        values.CopyTo(new Span<int>((void*)tensor.Address, values.Length));
        return tensor;
    }

    public static float[] Read(Tensor tensor)
    {
        float[] values = new float[tensor.Shape.Count];
        for (int row = 0; row < tensor.Rows; row++)
        {
            new ReadOnlySpan<float>((float*)tensor.Address + (row * tensor.RowStride), tensor.Columns).CopyTo(values.AsSpan(row * tensor.Columns));
        }

        return values;
    }

    /// <summary>The memory between the rows is as it was made.</summary>
    public static void AssertPaddingUntouched(Tensor tensor)
    {
        for (int row = 0; row + 1 < tensor.Rows; row++)
        {
            for (int c = tensor.Columns; c < tensor.RowStride; c++)
            {
                Assert.True(float.IsNaN(((float*)tensor.Address)[(row * tensor.RowStride) + c]), $"padding written after row {row}");
            }
        }
    }

    /// <summary>Normal numbers that fp32 holds exactly, so that the fp64 reference sees the same input.</summary>
    public static double[] Normal(int seed, int count, double scale = 1, double mean = 0)
    {
        Random random = new(seed);
        double[] values = new double[count];
        for (int i = 0; i < count; i++)
        {
            double radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
            values[i] = (float)(mean + (scale * radius * Math.Cos(2 * Math.PI * random.NextDouble())));
        }

        return values;
    }

    /// <summary>
    /// Largest difference at most <paramref name="tolerance"/> times the largest magnitude expected (at least <paramref name="floor"/>).
    /// </summary>
    public static void AssertClose(double[] expected, float[] actual, double tolerance, double floor = 1)
    {
        Assert.Equal(expected.Length, actual.Length);
        double largest = expected.Length == 0 ? floor : Math.Max(floor, expected.Max(Math.Abs));
        for (int i = 0; i < expected.Length; i++)
        {
            double error = Math.Abs(expected[i] - actual[i]);
            Assert.True(
                error <= tolerance * largest,
                $"element {i}: expected {expected[i]:R}, got {actual[i]:R}; error {error / largest:g3} of {largest:g3}"
            );
        }
    }

    public static void AssertSameBits(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(
                BitConverter.SingleToInt32Bits(expected[i]) == BitConverter.SingleToInt32Bits(actual[i]),
                $"element {i}: {expected[i]:R} and {actual[i]:R}"
            );
        }
    }

    public void Dispose()
    {
        _arena.Dispose();
        Backend.Dispose();
    }
}
