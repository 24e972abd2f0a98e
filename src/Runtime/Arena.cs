using System.Numerics;

namespace CoGrpo.Runtime;

/// <summary>
/// Memory for tensors of one kind (parameters, gradients, optimizer, activations), given out front to back and taken back to a
/// <see cref="Mark"/>. Grows by whole blocks while a run warms up and never after; tensors cut from it stay where they are.
/// Not thread-safe: one thread drives a backend.
/// </summary>
public sealed class Arena : IDisposable
{
    private const int Alignment = 256;

    private readonly IArenaMemory _memory;
    private readonly List<(nint Address, long Bytes)> _blocks = [];
    private readonly long _blockBytes;
    private int _block;
    private long _offset;
    private long _below;

    /// <summary>
    /// An empty arena called <paramref name="name"/> that asks <paramref name="memory"/> for blocks of <paramref name="blockBytes"/> or more.
    /// </summary>
    public Arena(string name, IArenaMemory memory, long blockBytes)
    {
        Name = name;
        _memory = memory;
        _blockBytes = Math.Max(blockBytes, Alignment);
    }

    /// <summary>What the memory is for; appears in messages and memory reports.</summary>
    public string Name { get; }

    /// <summary>Bytes in tensors given out and not taken back, alignment included.</summary>
    public long LiveBytes => _below + _offset;

    /// <summary>Largest <see cref="LiveBytes"/> since the arena was made.</summary>
    public long PeakBytes { get; private set; }

    /// <summary>Bytes asked of the backend so far.</summary>
    public long ReservedBytes { get; private set; }

    /// <summary>A place in the arena to go back to with <see cref="Release"/>.</summary>
    public ArenaMark Mark() => new(_block, _offset, _below);

    /// <summary>Takes back every tensor given out since <paramref name="mark"/>. Their content is undefined from here on.</summary>
    public void Release(ArenaMark mark) => (_block, _offset, _below) = (mark.Block, mark.Offset, mark.Below);

    /// <summary>A contiguous tensor with undefined content, aligned to 256 bytes.</summary>
    /// <exception cref="OutOfMemoryException">The backend has no memory left; the message names the arena and the sizes.</exception>
    public Tensor Allocate(Shape shape, ElementType type = ElementType.Float32)
    {
        long bytes = (Math.Max(shape.Count * type.Size(), 1) + Alignment - 1) / Alignment * Alignment;
        while (_block < _blocks.Count && _offset + bytes > _blocks[_block].Bytes)
        {
            _below += _offset;
            _offset = 0;
            _block++;
        }

        if (_block == _blocks.Count)
        {
            long size = Math.Max(_blockBytes, (long)BitOperations.RoundUpToPowerOf2((ulong)bytes));
            _blocks.Add((_memory.Reserve(Name, size), size));
            ReservedBytes += size;
        }

        nint address = _blocks[_block].Address + (nint)_offset;
        _offset += bytes;
        PeakBytes = Math.Max(PeakBytes, LiveBytes);
        return new Tensor(address, shape, type);
    }

    /// <summary>Gives every block back to the backend; all tensors of the arena become invalid.</summary>
    public void Dispose()
    {
        foreach ((nint address, long bytes) in _blocks)
        {
            _memory.Free(Name, address, bytes);
        }

        _blocks.Clear();
        (_block, _offset, _below) = (0, 0, 0);
    }
}

/// <summary>A place in an <see cref="Arena"/>; see <see cref="Arena.Mark"/>.</summary>
public readonly record struct ArenaMark(int Block, long Offset, long Below);

/// <summary>Where an <see cref="Arena"/> gets its blocks from: host memory, device memory, or bookkeeping alone.</summary>
public interface IArenaMemory
{
    /// <summary>A block of <paramref name="bytes"/> for arena <paramref name="arena"/>, aligned to 256 bytes.</summary>
    /// <exception cref="OutOfMemoryException">There is not that much; the message names the arena, the size and the remedy.</exception>
    nint Reserve(string arena, long bytes);

    /// <summary>Gives a block of arena <paramref name="arena"/> back.</summary>
    void Free(string arena, nint address, long bytes);
}
