namespace CoGrpo.CudaEmulator.Memory;

/// <summary>
/// A run of device memory that is one allocation, one module variable or the shared memory of a block, with its bytes and what the checks
/// remember about them. Lies in native memory; <see cref="AddressSpace"/> owns it.
/// </summary>
internal unsafe struct Region
{
    /// <summary>log2 of the bytes of a page, the unit in which race cells are opened and refined.</summary>
    public const int PageShift = 10;

    /// <summary>Device address of the first byte.</summary>
    public ulong Start;

    public ulong Bytes;

    /// <summary>Host address of the first byte.</summary>
    public byte* Host;

    /// <summary>One bit per byte: written. Null when the check is off.</summary>
    public ulong* Written;

    /// <summary>One bit per byte: unaddressable. Null when nothing is.</summary>
    public ulong* Poisoned;

    /// <summary>One bit per byte: an asynchronous copy has still to arrive. Null outside shared memory.</summary>
    public ulong* InFlight;

    /// <summary>Number of asynchronous copies that have not arrived.</summary>
    public int InFlightCount;

    /// <summary>One cell per 4 bytes: the last write. Null when the check is off.</summary>
    public uint* Writers;

    /// <summary>One cell per 4 bytes: the last reads.</summary>
    public uint* Readers;

    /// <summary>Per page: epoch · 4 + log2 of the bytes of a cell. Cells of another epoch mean nothing.</summary>
    public uint* Pages;

    /// <summary>Per page: cells finer than 4 bytes, writers then readers, or null.</summary>
    public uint** Fine;

    /// <summary>Bit per 32 bytes read in this launch; null when that is not asked for.</summary>
    public ulong* SectorsRead;

    /// <summary>Bit per 32 bytes written in this launch.</summary>
    public ulong* SectorsWritten;

    /// <summary>Number of the region in its address space.</summary>
    public int Number;

    public RegionKind Kind;

    public readonly ulong PageCount => (Bytes + (1UL << PageShift) - 1) >> PageShift;
}

/// <summary>What a region is.</summary>
internal enum RegionKind
{
    Allocation,
    Variable,
    Constant,
    Host,
    Shared,
}
