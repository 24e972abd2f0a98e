using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Backends.Cpu;

namespace CoGrpo.Tests.Fixtures;

/// <summary>A backend with a tape and arenas for one test, and short ways in and out of tensors.</summary>
internal sealed class ModelScope : IDisposable
{
    private readonly Arena _inputs;

    public ModelScope(int threads = 2)
        : this(new CpuBackend(threads))
    {
    }

    /// <summary>On <paramref name="backend"/>, owned from here on.</summary>
    public ModelScope(IBackend backend)
    {
        Backend = backend;
        Activations = Backend.CreateArena("activations", 1 << 22);
        Gradients = Backend.CreateArena("gradients", 1 << 22);
        _inputs = Backend.CreateArena("inputs", 1 << 20);
        Tape = new Tape(Backend, Activations, Gradients);
    }

    public IBackend Backend { get; }

    public Arena Activations { get; }

    public Arena Gradients { get; }

    public Tape Tape { get; }

    public Tensor Upload(Shape shape, ReadOnlySpan<float> values)
    {
        Tensor tensor = _inputs.Allocate(shape);
        Backend.Upload(values, tensor);
        return tensor;
    }

    public Tensor Upload(Shape shape, ReadOnlySpan<int> values)
    {
        Tensor tensor = _inputs.Allocate(shape, ElementType.Int32);
        Backend.Upload(values, tensor);
        return tensor;
    }

    /// <summary>In the element type that networks compute in.</summary>
    public Tensor UploadInStorage(Shape shape, ReadOnlySpan<float> values)
    {
        Tensor wide = Upload(shape, values);
        if (Backend.Storage == ElementType.Float32)
        {
            return wide;
        }

        Tensor tensor = _inputs.Allocate(shape, Backend.Storage);
        Backend.Copy(wide, tensor);
        return tensor;
    }

    public double[] Doubles(Tensor tensor)
    {
        float[] values = new float[tensor.Shape.Count];
        Tensor copy = tensor;
        if (!tensor.IsContiguous || tensor.Type != ElementType.Float32)
        {
            copy = _inputs.Allocate(tensor.Shape);
            Backend.Copy(tensor, copy);
        }

        Backend.Download<float>(copy, values);
        return Array.ConvertAll(values, x => (double)x);
    }

    public void Load(FixtureFile file, ParameterStore store)
    {
        Assert.Equal(file.Names.Order(StringComparer.Ordinal), store.Parameters.Select(p => p.Name).Order(StringComparer.Ordinal));
        foreach (Parameter parameter in store.Parameters)
        {
            Backend.Upload(parameter.ToStored(file.Floats(parameter.Name)), parameter.Value);
        }

        store.RenewComputeCopy();
    }

    public void Dispose()
    {
        _inputs.Dispose();
        Activations.Dispose();
        Gradients.Dispose();
        Backend.Dispose();
    }
}
