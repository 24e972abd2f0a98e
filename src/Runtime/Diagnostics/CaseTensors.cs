using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Runtime.Diagnostics;

/// <summary>
/// Tensors for an <see cref="OperationCase"/> on any backend: the same values everywhere, rounded to what the coarsest backend of a comparison
/// stores, so that all see the same inputs.
/// </summary>
internal sealed class CaseTensors(IBackend backend, Arena arena, ElementType rounding)
{
    private ulong _draws;

    /// <summary>Outputs in the order they were made.</summary>
    public List<(string Name, Tensor Tensor)> Outputs { get; } = [];

    /// <summary>The backend.</summary>
    public IBackend Backend => backend;

    /// <summary>Normal numbers times <paramref name="scale"/> plus <paramref name="mean"/>, in the backend's storage.</summary>
    public Tensor Normal(Shape shape, double scale = 1, double mean = 0) => Put(shape, backend.Storage, Draw(shape, scale, mean));

    /// <summary>The same in fp32 whatever the storage.</summary>
    public Tensor Wide(Shape shape, double scale = 1, double mean = 0) => Put(shape, ElementType.Float32, Draw(shape, scale, mean));

    /// <summary>An uninitialised output in the backend's storage.</summary>
    public Tensor Out(string name, Shape shape) => Output(name, arena.Allocate(shape, backend.Storage));

    /// <summary>An uninitialised fp32 output.</summary>
    public Tensor WideOut(string name, Shape shape) => Output(name, arena.Allocate(shape));

    /// <summary>An uninitialised Int32 output.</summary>
    public Tensor IntegerOut(string name, Shape shape) => Output(name, arena.Allocate(shape, ElementType.Int32));

    /// <summary>An fp32 output that is added to; starts at zero.</summary>
    public Tensor WideSum(string name, Shape shape)
    {
        Tensor tensor = arena.Allocate(shape);
        backend.Fill(tensor, 0);
        return Output(name, tensor);
    }

    /// <summary>An output in the backend's storage that is added to; starts at zero.</summary>
    public Tensor Sum(string name, Shape shape)
    {
        Tensor tensor = arena.Allocate(shape, backend.Storage);
        backend.Fill(tensor, 0);
        return Output(name, tensor);
    }

    /// <summary>fp32 memory that no one compares.</summary>
    public Tensor Scratch(Shape shape, ElementType type = ElementType.Float32) => arena.Allocate(shape, type);

    /// <summary>Int32 values.</summary>
    public Tensor Integers(Shape shape, Func<int, int> value)
    {
        Tensor tensor = arena.Allocate(shape, ElementType.Int32);
        int[] values = [.. Enumerable.Range(0, (int)shape.Count).Select(value)];
        backend.Upload<int>(values, tensor);
        return tensor;
    }

    /// <summary>Float64 values.</summary>
    public Tensor Doubles(Shape shape, Func<int, double> value)
    {
        Tensor tensor = arena.Allocate(shape, ElementType.Float64);
        double[] values = [.. Enumerable.Range(0, (int)shape.Count).Select(value)];
        backend.Upload<double>(values, tensor);
        return tensor;
    }

    /// <summary>Noise of a stream at step 3.</summary>
    public NoiseAddress Noise(RandomStream stream)
    {
        Tensor key = arena.Allocate(new Shape(1), ElementType.Int64);
        backend.Upload<ulong>([Philox.Key(1, stream)], key);
        return new NoiseAddress(key, 3);
    }

    /// <summary>Marks an existing tensor as an output.</summary>
    public Tensor Output(string name, Tensor tensor)
    {
        Outputs.Add((name, tensor));
        return tensor;
    }

    private float[] Draw(Shape shape, double scale, double mean)
    {
        var random = new RandomSequence(1, RandomStream.Initialisation, _draws++);
        float[] values = new float[shape.Count];
        foreach (ref float value in values.AsSpan())
        {
            value = (float)((scale * random.NextNormal()) + mean);
            value = rounding == ElementType.BFloat16 ? BFloat16.Round(value) : value;
        }

        return values;
    }

    private Tensor Put(Shape shape, ElementType type, float[] values)
    {
        Tensor tensor = arena.Allocate(shape, type);
        if (type == ElementType.BFloat16)
        {
            backend.Upload<ushort>(Array.ConvertAll(values, BFloat16.Bits), tensor);
        }
        else
        {
            backend.Upload<float>(values, tensor);
        }

        return tensor;
    }
}
