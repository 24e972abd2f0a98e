namespace CoGrpo.Runtime.Backends.Plan;

/// <summary>
/// A backend that executes nothing and counts: arenas hand out addresses of memory that is not there, operations add their cost to a ledger. What
/// runs on it tells memory and work of the same run elsewhere. Downloads give zeros. Driven by one thread.
/// </summary>
public sealed partial class PlanBackend : IBackend, IArenaMemory
{
    private readonly Dictionary<string, OperationCost> _costs = new(StringComparer.Ordinal);
    private nint _next = 1 << 20;

    /// <summary>A plan of a device that keeps activations in <paramref name="storage"/>.</summary>
    public PlanBackend(ElementType storage = ElementType.Float32) => Storage = storage;

    /// <inheritdoc/>
    public string Name => "plan";

    /// <inheritdoc/>
    public ElementType Storage { get; }

    /// <summary>Cost of every operation called so far, by name.</summary>
    public IReadOnlyDictionary<string, OperationCost> Costs => _costs;

    /// <inheritdoc/>
    public MemoryLedger Memory { get; } = new();

    /// <summary>Forgets the costs.</summary>
    public void Clear() => _costs.Clear();

    /// <inheritdoc/>
    public Arena CreateArena(string name, long blockBytes) => new(name, this, blockBytes);

    /// <inheritdoc/>
    public unsafe void Upload<T>(ReadOnlySpan<T> source, Tensor destination)
        where T : unmanaged => Require.That(sizeof(T) == destination.Type.Size() && source.Length == destination.Shape.Count && destination.IsContiguous, nameof(destination),
            destination, $"{source.Length} adjacent elements of {sizeof(T)} bytes");

    /// <inheritdoc/>
    public unsafe void Download<T>(Tensor source, Span<T> destination)
        where T : unmanaged
    {
        Require.That(sizeof(T) == source.Type.Size() && destination.Length == source.Shape.Count && source.IsContiguous, nameof(source),
            source, $"{destination.Length} adjacent elements of {sizeof(T)} bytes");
        destination.Clear();
    }

    /// <inheritdoc/>
    public IRecording? Record(Action work) => null;

    /// <inheritdoc/>
    nint IArenaMemory.Reserve(string arena, long bytes)
    {
        nint address = _next;
        _next += (nint)((bytes + 255) / 256 * 256);
        Memory.Add(arena, bytes);
        return address;
    }

    /// <inheritdoc/>
    void IArenaMemory.Free(string arena, nint address, long bytes) => Memory.Add(arena, -bytes);

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private static double Bytes(Tensor x) => x.IsNone ? 0 : (double)x.Shape.Count * x.Type.Size();

    private void Count(string operation, double operations, double read, double written) =>
        _costs[operation] = _costs.GetValueOrDefault(operation) + new OperationCost(1, operations, read, written);
}
