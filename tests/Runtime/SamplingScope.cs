using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Tests.Runtime;

/// <summary>A CPU backend with one arena for tests: host arrays to tensors and back.</summary>
internal sealed class SamplingScope : IDisposable
{
    private readonly Arena _arena;

    /// <summary>A backend with <paramref name="threads"/> workers.</summary>
    public SamplingScope(int threads = 1)
    {
        Backend = new CpuBackend(threads);
        _arena = Backend.CreateArena("test", 1 << 22);
    }

    /// <summary>The backend.</summary>
    public CpuBackend Backend { get; }

    /// <summary>A tensor with undefined content.</summary>
    public Tensor New(Shape shape, ElementType type = ElementType.Float32) => _arena.Allocate(shape, type);

    /// <summary>A tensor with these values.</summary>
    public Tensor Put(Shape shape, float[] values)
    {
        Tensor tensor = New(shape);
        Backend.Upload<float>(values, tensor);
        return tensor;
    }

    /// <summary>A vector with these values.</summary>
    public Tensor Put(float[] values) => Put(new Shape(values.Length), values);

    /// <summary>An integer tensor with these values.</summary>
    public Tensor Put(Shape shape, int[] values)
    {
        Tensor tensor = New(shape, ElementType.Int32);
        Backend.Upload<int>(values, tensor);
        return tensor;
    }

    /// <summary>An integer vector with these values.</summary>
    public Tensor Put(int[] values) => Put(new Shape(values.Length), values);

    /// <summary>A Float64 tensor with these values.</summary>
    public Tensor Put(Shape shape, double[] values)
    {
        Tensor tensor = New(shape, ElementType.Float64);
        Backend.Upload<double>(values, tensor);
        return tensor;
    }

    /// <summary>The noise of a stream at a step.</summary>
    public NoiseAddress Noise(ulong seed, RandomStream stream, int step)
    {
        Tensor key = New(new Shape(1), ElementType.Int64);
        Backend.Upload<ulong>([Philox.Key(seed, stream)], key);
        return new NoiseAddress(key, step);
    }

    /// <summary>Sum of squares of a tensor.</summary>
    public double SquaredNorm(Tensor x)
    {
        Tensor sum = Put(new Shape(1), [double.NaN]);
        Backend.SquaredNorm(x, sum);
        return Doubles(sum)[0];
    }

    /// <summary>The values of a Float64 tensor.</summary>
    public double[] Doubles(Tensor tensor)
    {
        double[] values = new double[tensor.Shape.Count];
        Backend.Download<double>(tensor, values);
        return values;
    }

    /// <summary>The values of a tensor.</summary>
    public float[] Floats(Tensor tensor)
    {
        float[] values = new float[tensor.Shape.Count];
        Backend.Download<float>(tensor, values);
        return values;
    }

    /// <summary>The values of an integer tensor.</summary>
    public int[] Ints(Tensor tensor)
    {
        int[] values = new int[tensor.Shape.Count];
        Backend.Download<int>(tensor, values);
        return values;
    }

    /// <summary><paramref name="count"/> normal numbers times <paramref name="scale"/>.</summary>
    public static float[] Normal(int seed, int count, float scale)
    {
        Random random = new(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = scale * (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        }

        return values;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _arena.Dispose();
        Backend.Dispose();
    }
}
