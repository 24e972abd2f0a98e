namespace CoGrpo.CudaEmulator.Execution;

/// <summary>Asynchronous copies to shared memory that a warp's lanes have started: the data arrives when its lane waits for it.</summary>
internal sealed class AsyncCopies
{
    private readonly List<AsyncCopy> _pending = [];
    private readonly Stack<AsyncCopy> _free = new();
    private readonly int[] _groups = new int[32];

    /// <summary>Number of copies under way.</summary>
    public int Count => _pending.Count;

    public IReadOnlyList<AsyncCopy> Pending => _pending;

    /// <summary>A copy to be filled in by its caller: of lanes that are in the same group.</summary>
    public AsyncCopy Start(uint lanes, int bytes)
    {
        AsyncCopy copy = _free.TryPop(out AsyncCopy? used) ? used : new AsyncCopy();
        (copy.Lanes, copy.Bytes, copy.Group) = (lanes, bytes, _groups[Warp.FirstLane(lanes)]);
        _pending.Add(copy);
        return copy;
    }

    /// <summary>Lanes of <paramref name="lanes"/> that have closed as many groups as the first of them.</summary>
    public uint SameGroup(uint lanes)
    {
        int first = _groups[Warp.FirstLane(lanes)];
        uint same = 0;
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            same |= _groups[Warp.FirstLane(rest)] == first ? rest & (~rest + 1) : 0;
        }

        return same;
    }

    /// <summary>What lanes started since the last time becomes a group.</summary>
    public void Commit(uint lanes)
    {
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            _groups[Warp.FirstLane(rest)]++;
        }
    }

    /// <summary>Groups that a lane has closed.</summary>
    public int Groups(int lane) => _groups[lane];

    /// <summary>Takes away copies none of whose lanes are left.</summary>
    public void RemoveDelivered()
    {
        int kept = 0;
        for (int i = 0; i < _pending.Count; i++)
        {
            if (_pending[i].Lanes == 0)
            {
                _free.Push(_pending[i]);
            }
            else
            {
                _pending[kept++] = _pending[i];
            }
        }

        _pending.RemoveRange(kept, _pending.Count - kept);
    }

    public void Clear()
    {
        foreach (AsyncCopy copy in _pending)
        {
            _free.Push(copy);
        }

        _pending.Clear();
        Array.Clear(_groups);
    }
}

/// <summary>One cp.async of a warp.</summary>
internal sealed class AsyncCopy
{
    public uint Lanes { get; set; }

    public int Group { get; set; }

    /// <summary>Bytes of a lane.</summary>
    public int Bytes { get; set; }

    /// <summary>Shared offset of each lane.</summary>
    public ulong[] To { get; } = new ulong[32];

    /// <summary>16 bytes for each lane.</summary>
    public byte[] Data { get; } = new byte[32 * 16];

    /// <summary>The instruction.</summary>
    public nint At { get; set; }
}
