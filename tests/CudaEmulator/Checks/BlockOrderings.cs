using System.Collections.Concurrent;

namespace CoGrpo.CudaEmulator.Checks;

/// <summary>
/// What fences and flags order between the blocks of a launch: a strong write after a fence hands on what its block did before the fence and
/// what it knew of others; a strong read of the same address takes that over. More is taken as ordered than the memory model promises (any
/// strong read counts as an acquire, a fence counts for the whole block), so that correct programs are never blamed.
/// </summary>
internal sealed class BlockOrderings(long blocks)
{
    // Beyond this many blocks only whether anything was acquired is remembered.
    private const long MostBlocks = 4096;

    private readonly bool _exact = blocks <= MostBlocks;
    private readonly uint[] _fenced = new uint[Math.Min(blocks, MostBlocks)];
    private readonly uint[]?[] _known = new uint[]?[Math.Min(blocks, MostBlocks)];
    private readonly ConcurrentDictionary<ulong, uint[]> _published = new();
    private volatile bool _any;

    /// <summary>A block executes a fence at its clock.</summary>
    public void Fence(long block, uint clock)
    {
        _any = true;
        if (_exact)
        {
            Volatile.Write(ref _fenced[block], clock);
        }
    }

    /// <summary>A block writes a word others may look at.</summary>
    public void Release(long block, ulong address)
    {
        if (!_exact || _fenced[block] == 0)
        {
            return;
        }

        uint[] row = _published.GetOrAdd(address, _ => new uint[blocks]);
        lock (row)
        {
            row[block] = Math.Max(row[block], _fenced[block]);
            if (_known[block] is { } known)
            {
                Raise(row, known);
            }
        }
    }

    /// <summary>
    /// A block has read a word that others may have written; returns up to which clock of its own other threads of the block have published there.
    /// </summary>
    public uint Acquire(long block, ulong address)
    {
        if (!_exact || !_published.TryGetValue(address, out uint[]? row))
        {
            return 0;
        }

        lock (row)
        {
            Raise(_known[block] ??= new uint[blocks], row);
            return row[block];
        }
    }

    /// <summary>Whether what a block did at a clock, in its field of a cell, comes before what another does now.</summary>
    public bool IsOrdered(long before, uint clock, long after, in CellFormat format) =>
        _exact ? _known[after] is { } known && clock < format.Bound(known[before]) : _any;

    private static void Raise(uint[] row, uint[] by)
    {
        for (int i = 0; i < row.Length; i++)
        {
            row[i] = Math.Max(row[i], by[i]);
        }
    }
}
