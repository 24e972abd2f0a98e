using System.Runtime.InteropServices;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>
/// The CPU implementation of the operation set: fp32, SIMD through System.Runtime.Intrinsics, all cores, no native library. It is the
/// embedded default and the oracle for every other backend. One file per operation. Driven by one thread at a time.
/// </summary>
public sealed unsafe partial class CpuBackend : IBackend, IArenaMemory
{
    private readonly ThreadTeam _team;
    private readonly Arena _work;

    /// <summary>A backend with <paramref name="threads"/> workers; 0 takes all cores.</summary>
    public CpuBackend(int threads = 0)
    {
        Threads = threads > 0 ? threads : Environment.ProcessorCount;
        _team = new ThreadTeam(Threads);
        _work = CreateArena("workspace", 1 << 16);
    }

    /// <inheritdoc cref="IBackend.Name"/>
    public string Name => "cpu";

    /// <inheritdoc cref="IBackend.Storage"/>
    public ElementType Storage => ElementType.Float32;

    /// <summary>Number of workers.</summary>
    public int Threads { get; }

    /// <inheritdoc cref="IBackend.Memory"/>
    public MemoryLedger Memory { get; } = new();

    /// <inheritdoc cref="IBackend.CreateArena"/>
    public Arena CreateArena(string name, long blockBytes) => new(name, this, blockBytes);

    /// <inheritdoc cref="IBackend.Upload"/>
    public void Upload<T>(ReadOnlySpan<T> source, Tensor destination)
        where T : unmanaged
    {
        Require.That(
            sizeof(T) == destination.Type.Size() && source.Length == destination.Shape.Count && destination.IsContiguous,
            nameof(destination),
            destination,
            $"{source.Length} adjacent elements of {sizeof(T)} bytes"
        );
        source.CopyTo(new Span<T>((void*)destination.Address, source.Length));
    }

    /// <inheritdoc cref="IBackend.Download"/>
    public void Download<T>(Tensor source, Span<T> destination)
        where T : unmanaged
    {
        Require.That(sizeof(T) == source.Type.Size() && destination.Length == source.Shape.Count && source.IsContiguous, nameof(source),
            source, $"{destination.Length} adjacent elements of {sizeof(T)} bytes");
        new ReadOnlySpan<T>((void*)source.Address, destination.Length).CopyTo(destination);
    }

    /// <inheritdoc/>
    nint IArenaMemory.Reserve(string arena, long bytes)
    {
        try
        {
            nint address = (nint)NativeMemory.AlignedAlloc((nuint)bytes, 256);
            Memory.Add(arena, bytes);
            return address;
        }
        catch (OutOfMemoryException)
        {
            throw new OutOfMemoryException(
                $"arena {arena}: wanted {bytes >> 20} MiB more of host memory, the system refused; lower the micro-batch or the model size");
        }
    }

    /// <inheritdoc/>
    void IArenaMemory.Free(string arena, nint address, long bytes)
    {
        NativeMemory.AlignedFree((void*)address);
        Memory.Add(arena, -bytes);
    }

    /// <summary>Stops the workers. Arenas stay valid until they are disposed themselves.</summary>
    public void Dispose()
    {
        _team.Dispose();
        _work.Dispose();
    }
}
