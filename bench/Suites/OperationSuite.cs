using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Bench.Suites;

/// <summary>Backend and random tensors for suites of single operations.</summary>
public abstract class OperationSuite
{
    private Arena? _arena;
    private ulong _draws;

    protected CpuBackend Backend { get; private set; } = null!;

    protected void Start(int threads = 0)
    {
        Backend = new CpuBackend(threads);
        _arena = Backend.CreateArena("benchmark", 1 << 24);
    }

    protected void Stop()
    {
        _arena?.Dispose();
        Backend.Dispose();
    }

    /// <summary>An fp32 tensor of standard normal numbers.</summary>
    protected Tensor Normal(params ReadOnlySpan<int> dimensions)
    {
        Tensor tensor = Empty(dimensions);
        var random = new RandomSequence(1, RandomStream.Initialisation, _draws++);
        float[] values = new float[tensor.Shape.Count];
        foreach (ref float value in values.AsSpan())
        {
            value = (float)random.NextNormal();
        }

        Backend.Upload<float>(values, tensor);
        return tensor;
    }

    protected Tensor Constant(float value, int count)
    {
        Tensor tensor = Empty(count);
        Backend.Fill(tensor, value);
        return tensor;
    }

    protected Tensor Empty(params ReadOnlySpan<int> dimensions) => _arena!.Allocate(Shape.Of(dimensions));

    /// <summary>An Int32 tensor with the values of <paramref name="value"/>.</summary>
    protected Tensor Integers(Func<int, int> value, params ReadOnlySpan<int> dimensions)
    {
        Tensor tensor = _arena!.Allocate(Shape.Of(dimensions), ElementType.Int32);
        int[] values = new int[tensor.Shape.Count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = value(i);
        }

        Backend.Upload<int>(values, tensor);
        return tensor;
    }

    /// <summary>A Float64 tensor with the values of <paramref name="value"/>.</summary>
    protected Tensor Doubles(Func<int, double> value, params ReadOnlySpan<int> dimensions)
    {
        Tensor tensor = _arena!.Allocate(Shape.Of(dimensions), ElementType.Float64);
        double[] values = new double[tensor.Shape.Count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = value(i);
        }

        Backend.Upload<double>(values, tensor);
        return tensor;
    }

    /// <summary>The key of a stream of random numbers.</summary>
    protected Tensor Key(RandomStream stream)
    {
        Tensor tensor = _arena!.Allocate(new Shape(1), ElementType.Int64);
        Backend.Upload<ulong>([Philox.Key(1, stream)], tensor);
        return tensor;
    }

    /// <summary>"16x72x4x32" as numbers.</summary>
    protected static int[] Sizes(string text) => [.. text.Split('x').Select(int.Parse)];
}
