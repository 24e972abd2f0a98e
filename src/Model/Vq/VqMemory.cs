using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Model.Vq;

/// <summary>
/// The maps of a pass: one holds the stream, two more are free for what a block computes from it, and a fourth holds what goes in. Maps change places
/// instead of being copied. Sizes come from a pass that executes nothing; the largest maps of a picture of 1024 pixels are a gigabyte each.
/// </summary>
internal sealed class VqMemory
{
    private const int Maps = 4;

    private readonly nint[] _addresses = new nint[Maps];
    private readonly long[] _bytes = new long[Maps];
    private readonly bool _measuring;
    private int _stream;

    /// <summary>Memory that is not there and remembers how large it would have to be.</summary>
    public VqMemory() => _measuring = true;

    /// <summary>As much as a pass on <paramref name="measured"/> used.</summary>
    public VqMemory(VqMemory measured, Arena arena)
    {
        measured._bytes.CopyTo(_bytes, 0);

        // Smallest first, so that the arena's first block, which has room for all, is not made larger for one of them.
        foreach (int map in Enumerable.Range(0, Maps).OrderBy(map => _bytes[map]))
        {
            _addresses[map] = arena.Allocate(new Shape(Words(_bytes[map]), 64)).Address;
        }
    }

    /// <summary>Bytes of all maps.</summary>
    public long Bytes => _bytes.Sum(bytes => 256L * Words(bytes));

    /// <summary>The map that the next operation works on.</summary>
    public Tensor Stream { get; private set; }

    /// <summary>One of the two free maps, 0 or 1, under a shape.</summary>
    public Tensor Free(int which, Shape shape, ElementType type) => Map((_stream + 1 + which) % (Maps - 1), shape, type);

    /// <summary>The map of what goes into the pass.</summary>
    public Tensor Input(Shape shape, ElementType type) => Map(Maps - 1, shape, type);

    /// <summary>Starts a pass whose stream is <paramref name="input"/>, in a map of its own.</summary>
    public void Begin(Tensor input)
    {
        _stream = Maps - 2;
        Stream = input;
    }

    /// <summary>Makes free map <paramref name="which"/>, where <paramref name="value"/> was put, the stream; the old one becomes free.</summary>
    public void MoveTo(int which, Tensor value)
    {
        _stream = (_stream + 1 + which) % (Maps - 1);
        Stream = value;
    }

    private static int Words(long bytes) => checked((int)((bytes + 255) / 256));

    private Tensor Map(int map, Shape shape, ElementType type)
    {
        long bytes = shape.Count * type.Size();
        if (_measuring)
        {
            _bytes[map] = Math.Max(_bytes[map], bytes);
        }
        else if (bytes > _bytes[map])
        {
            throw new InvalidOperationException(
                $"map {map}: wanted {bytes} bytes, was measured with {_bytes[map]}; a pass takes the same maps as the one that measured it"
            );
        }

        return new Tensor(_addresses[map], shape, type);
    }
}
