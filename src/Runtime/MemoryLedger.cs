namespace CoGrpo.Runtime;

/// <summary>
/// What the arenas of one backend hold and held at most, by what the memory is for. The same run has the same ledger on every backend, the one that
/// executes nothing included. Not thread-safe, as the backend.
/// </summary>
public sealed class MemoryLedger
{
    private readonly SortedDictionary<string, (long Reserved, long Peak)> _arenas = new(StringComparer.Ordinal);

    /// <summary>Bytes that arenas hold now.</summary>
    public long ReservedBytes { get; private set; }

    /// <summary>Most bytes that arenas held at once.</summary>
    public long PeakBytes { get; private set; }

    /// <summary>By name of the arenas, in ordinal order: bytes that all arenas of this name hold now, and the most they held at once.</summary>
    public IEnumerable<(string Arena, long ReservedBytes, long PeakBytes)> Arenas =>
        _arenas.Select(entry => (entry.Key, entry.Value.Reserved, entry.Value.Peak));

    /// <summary>Writes down that an arena took or, with a negative number, gave back a block.</summary>
    internal void Add(string arena, long bytes)
    {
        (long reserved, long peak) = _arenas.GetValueOrDefault(arena);
        _arenas[arena] = (reserved + bytes, Math.Max(peak, reserved + bytes));
        ReservedBytes += bytes;
        PeakBytes = Math.Max(PeakBytes, ReservedBytes);
    }
}
