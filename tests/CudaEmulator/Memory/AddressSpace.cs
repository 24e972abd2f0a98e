using System.Runtime.InteropServices;

namespace CoGrpo.CudaEmulator.Memory;

/// <summary>
/// The device memory of one context. Addresses are no host pointers, are never given out twice and have unmapped gaps between them, so that
/// every stray access is recognised. Thread-safe; regions stay readable until the whole space is disposed.
/// </summary>
internal sealed unsafe class AddressSpace : IDisposable
{
    private const ulong Alignment = 512;
    private const ulong Gap = 1 << 16;
    private const ulong SpaceBytes = 1UL << 40;

    private static int _spaces;

    private readonly Lock _lock = new();
    private readonly List<nint> _regions = [];
    private readonly List<RegionNote> _notes = [];
    private readonly SortedList<ulong, nint> _live = [];
    private readonly EmulatorCheck _checks;
    private readonly bool _countSectors;
    private ulong _next;

    /// <summary>An empty space.</summary>
    /// <param name="checks">Which checks need bookkeeping.</param>
    /// <param name="countSectors">Whether distinct sectors of a launch are to be counted.</param>
    /// <param name="capacity">Bytes that can be allocated.</param>
    public AddressSpace(EmulatorCheck checks, bool countSectors, ulong capacity)
    {
        (_checks, _countSectors, Capacity) = (checks, countSectors, capacity);

        // Spaces of different contexts do not overlap, so that an address of another context is a stray one. 47 bits in all, as on real devices.
        _next = ((ulong)(Interlocked.Increment(ref _spaces) % 100) + 3) * SpaceBytes;
    }

    public ulong Capacity { get; }

    /// <summary>Bytes allocated and not freed.</summary>
    public ulong Used { get; private set; }

    /// <summary>Regions that are allocated now.</summary>
    public IReadOnlyList<RegionNote> Live
    {
        get
        {
            lock (_lock)
            {
                return [.. _live.Values.Select(region => _notes[((Region*)region)->Number])];
            }
        }
    }

    /// <summary>Null when there is no room.</summary>
    public Region* Allocate(ulong bytes, RegionKind kind, string name)
    {
        lock (_lock)
        {
            if (bytes > Capacity - Used)
            {
                return null;
            }

            byte* host = (byte*)NativeMemory.AlignedAlloc((nuint)((bytes + 63) & ~63UL), 64);
            if (host == null)
            {
                return null;
            }

            ulong start = _next;
            _next = (start + bytes + Gap + Alignment - 1) / Alignment * Alignment;
            Used += bytes;
            return Add(start, bytes, host, kind, name);
        }
    }

    /// <summary>Makes page-locked host memory known under its own address.</summary>
    public Region* AddHost(byte* host, ulong bytes)
    {
        lock (_lock)
        {
            Region* region = Add((ulong)host, bytes, host, RegionKind.Host, "page-locked host memory");
            SetWritten(region, 0, bytes);
            return region;
        }
    }

    /// <summary>Frees the region that starts at an address; false if none does.</summary>
    public bool Free(ulong start, RegionKind kind)
    {
        lock (_lock)
        {
            if (!_live.TryGetValue(start, out nint found) || ((Region*)found)->Kind != kind)
            {
                return false;
            }

            var region = (Region*)found;
            _live.Remove(start);
            _notes[region->Number].IsFreed = true;
            if (kind != RegionKind.Host)
            {
                Used -= region->Bytes;
            }

            Release(region);
            return true;
        }
    }

    /// <summary>The live region that holds an address, or null.</summary>
    public Region* Find(ulong address)
    {
        lock (_lock)
        {
            return Below(address) is var region && region != null && address - region->Start < region->Bytes ? region : null;
        }
    }

    /// <summary>What is known about an address that belongs to no live region: the nearest live one, and the freed one it was part of.</summary>
    public (RegionNote? Nearest, RegionNote? Freed) Explain(ulong address)
    {
        lock (_lock)
        {
            RegionNote? freed = _notes.LastOrDefault(note => note.IsFreed && address - note.Start < note.Bytes);
            Region* below = Below(address);
            RegionNote? nearest = below == null ? null : _notes[below->Number];
            int above = UpperBound(address);
            if (above < _live.Count)
            {
                var next = (Region*)_live.Values[above];
                if (nearest is null || next->Start - address < address - (nearest.Start + nearest.Bytes))
                {
                    nearest = _notes[next->Number];
                }
            }

            return (nearest, freed);
        }
    }

    public RegionNote NoteOf(Region* region)
    {
        lock (_lock)
        {
            return _notes[region->Number];
        }
    }

    /// <summary>Marks bytes of a region as written.</summary>
    public static void SetWritten(Region* region, ulong offset, ulong bytes)
    {
        if (region->Written != null)
        {
            ByteBits.Set(region->Written, offset, bytes);
        }
    }

    /// <summary>Marks or unmarks bytes of a region as unaddressable.</summary>
    public void SetPoisoned(Region* region, ulong offset, ulong bytes, bool poisoned)
    {
        lock (_lock)
        {
            if (region->Poisoned == null)
            {
                region->Poisoned = (ulong*)NativeMemory.AllocZeroed((nuint)((region->Bytes / 64) + 2), sizeof(ulong));
            }

            if (poisoned)
            {
                ByteBits.Set(region->Poisoned, offset, bytes);
            }
            else
            {
                ByteBits.Clear(region->Poisoned, offset, bytes);
            }
        }
    }

    /// <summary>Clears what was noted about sectors of earlier launches.</summary>
    public void ClearSectors() => ForEachLive(region =>
    {
        if (region->SectorsRead != null)
        {
            nuint bytes = (nuint)((region->Bytes / 2048) + 2) * sizeof(ulong);
            NativeMemory.Clear(region->SectorsRead, bytes);
            NativeMemory.Clear(region->SectorsWritten, bytes);
        }
    });

    /// <summary>Distinct sectors read and written since they were cleared.</summary>
    public (long Read, long Written) CountSectors()
    {
        long read = 0;
        long written = 0;
        ForEachLive(region =>
        {
            for (ulong i = 0; region->SectorsRead != null && i < (region->Bytes / 2048) + 1; i++)
            {
                read += ulong.PopCount(region->SectorsRead[i]) is var r ? (long)r : 0;
                written += ulong.PopCount(region->SectorsWritten[i]) is var w ? (long)w : 0;
            }
        });
        return (read, written);
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (nint live in _live.Values)
            {
                Release((Region*)live);
            }

            _live.Clear();
            foreach (nint region in _regions)
            {
                NativeMemory.Free((void*)region);
            }

            _regions.Clear();
        }
    }

    private delegate void RegionAction(Region* region);

    private void ForEachLive(RegionAction action)
    {
        lock (_lock)
        {
            foreach (nint live in _live.Values)
            {
                action((Region*)live);
            }
        }
    }

    private Region* Add(ulong start, ulong bytes, byte* host, RegionKind kind, string name)
    {
        var region = (Region*)NativeMemory.AllocZeroed((nuint)sizeof(Region));
        region->Start = start;
        region->Bytes = bytes;
        region->Host = host;
        region->Kind = kind;
        region->Number = _regions.Count;
        RegionShadow.Allocate(region, _checks);
        if (_countSectors)
        {
            region->SectorsRead = (ulong*)NativeMemory.AllocZeroed((nuint)((bytes / 2048) + 2), sizeof(ulong));
            region->SectorsWritten = (ulong*)NativeMemory.AllocZeroed((nuint)((bytes / 2048) + 2), sizeof(ulong));
        }

        _regions.Add((nint)region);
        _notes.Add(new RegionNote(name, start, bytes, kind, _notes.Count));
        _live.Add(start, (nint)region);
        return region;
    }

    private static void Release(Region* region)
    {
        if (region->Kind != RegionKind.Host)
        {
            NativeMemory.AlignedFree(region->Host);
        }

        region->Host = null;
        RegionShadow.Free(region);
        NativeMemory.Free(region->SectorsRead);
        NativeMemory.Free(region->SectorsWritten);
        NativeMemory.Free(region->Poisoned);
        region->SectorsRead = null;
        region->SectorsWritten = null;
        region->Poisoned = null;
    }

    /// <summary>The live region with the highest start not above an address.</summary>
    private Region* Below(ulong address)
    {
        int above = UpperBound(address);
        return above == 0 ? null : (Region*)_live.Values[above - 1];
    }

    private int UpperBound(ulong address)
    {
        IList<ulong> keys = _live.Keys;
        int low = 0;
        int high = keys.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (keys[middle] <= address)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}

/// <summary>What reports say about a region; outlives it.</summary>
internal sealed class RegionNote(string name, ulong start, ulong bytes, RegionKind kind, int number)
{
    public string Name { get; } = name;

    public ulong Start { get; } = start;

    public ulong Bytes { get; } = bytes;

    public RegionKind Kind { get; } = kind;

    public bool IsFreed { get; set; }

    public override string ToString() =>
        Kind == RegionKind.Allocation ? $"allocation {number} of {Bytes} bytes at 0x{Start:x}" : $"{Name} of {Bytes} bytes at 0x{Start:x}";
}
