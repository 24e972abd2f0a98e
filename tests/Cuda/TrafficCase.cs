using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends.Cuda;

namespace CoGrpo.Tests.Cuda;

/// <summary>
/// Makes the operands of an operation, without values but for indices, and adds up what it has to move at least: each once in every direction.
/// </summary>
internal sealed class TrafficCase : IDisposable
{
    private readonly Arena _arena;
    private readonly (int Images, int Tokens, int C, int Heads) _size;

    public TrafficCase(CudaBackend device, int images, int tokens, int c, int heads)
    {
        (Device, _size) = (device, (images, tokens, c, heads));
        _arena = device.CreateArena("traffic", 16 << 20);
    }

    public CudaBackend Device { get; }

    /// <summary>Bytes that the operands made so far take at least.</summary>
    public long FloorBytes { get; private set; }

    /// <summary>All tokens as rows.</summary>
    public Shape Rows() => new(_size.Images * _size.Tokens, _size.C);

    /// <summary>All tokens by image.</summary>
    public Shape Tokens3() => new(_size.Images, _size.Tokens, _size.C);

    /// <summary>A vector per image.</summary>
    public Shape PerImage() => new(_size.Images, _size.C);

    /// <summary>So many numbers per token.</summary>
    public Shape Statistics(int each) => new(_size.Images * _size.Tokens * each);

    /// <summary>An operand that is read.</summary>
    public Tensor Reads(Shape shape, ElementType? type = null) => Made(shape, type, shape.Count, 1);

    /// <summary>An operand that is written.</summary>
    public Tensor Writes(Shape shape, ElementType? type = null) => Made(shape, type, shape.Count, 1);

    /// <summary>An operand that is read and written.</summary>
    public Tensor Adds(Shape shape, ElementType? type = null) => Made(shape, type, shape.Count, 2);

    /// <summary>An operand of which only some rows are moved, <paramref name="times"/> times.</summary>
    public Tensor Held(Shape shape, int rows, int times, ElementType? type = null) => Made(shape, type, (long)rows * shape.Columns, times);

    /// <summary>cos or sin of the tokens, which every image reads: they stay in the cache, but count here.</summary>
    public Tensor Angles() =>
        Made(new Shape(_size.Tokens, _size.C / _size.Heads / 2), ElementType.Float32, (long)_size.Tokens * _size.C / _size.Heads / 2, _size.Images);

    /// <summary>Distinct indices as long as there are enough, in an order of no use to anyone.</summary>
    public Tensor Indices(int count, int limit, Shape shape)
    {
        Tensor indices = Made(shape, ElementType.Int32, count, 1);
        int[] values = new int[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = (int)((i * 7919L) % limit);
        }

        Device.Upload<int>(values, indices);
        return indices;
    }

    public void Dispose() => _arena.Dispose();

    private Tensor Made(Shape shape, ElementType? type, long moved, int times)
    {
        Tensor tensor = _arena.Allocate(shape, type ?? Device.Storage);
        FloorBytes += moved * tensor.Type.Size() * times;
        return tensor;
    }
}
