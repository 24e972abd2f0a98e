using System.Runtime.InteropServices;
using CoGrpo.Runtime.Backends.Cuda;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Runtime.Backends.Plan;

/// <summary>
/// A backend that executes nothing and counts: arenas hand out addresses of memory that is not there, operations add their cost to a ledger. What
/// runs on it tells memory and work of the same run elsewhere. Downloads give zeros. How many codes sampling leaves masked, which the device alone
/// knows elsewhere, is that of a hand-made schedule. Driven by one thread.
/// </summary>
public sealed partial class PlanBackend : IBackend, IArenaMemory
{
    private readonly Dictionary<(string Operation, OperationCost Cost), long> _calls = [];
    private readonly Dictionary<nint, int> _masked = [];
    private readonly Dictionary<nint, int> _live = [];
    private long _room;
    private nint _next = 1 << 20;

    /// <summary>A plan of a device that keeps activations in <paramref name="storage"/>.</summary>
    public PlanBackend(ElementType storage = ElementType.Float32) => Storage = storage;

    /// <inheritdoc/>
    public string Name => "plan";

    /// <inheritdoc/>
    public ElementType Storage { get; }

    /// <summary>What re-masks: says how many rows are live in every step of a sampling loop. Without one all codes stay masked.</summary>
    public HandMadeSettings? Decoding { get; init; }

    /// <summary>Cost of every operation called since <see cref="TakeWork"/>, by name.</summary>
    public IReadOnlyDictionary<string, OperationCost> Costs =>
        _calls
            .GroupBy(call => call.Key.Operation, StringComparer.Ordinal)
            .ToDictionary(calls => calls.Key, calls => calls.Aggregate(default(OperationCost), (sum, call) => sum + (call.Key.Cost * call.Value)));

    /// <inheritdoc/>
    public MemoryLedger Memory { get; } = new();

    /// <summary>Bytes that a GPU holds for partial results of what was called, with this library's matrix product.</summary>
    public long WorkspaceBytes { get; private set; }

    /// <summary>Everything called since the last time, which is forgotten.</summary>
    public PlannedWork TakeWork()
    {
        PlannedWork work = new([.. _calls.Select(call => new PlannedCalls(call.Key.Operation, call.Key.Cost, call.Value))]);
        _calls.Clear();
        return work;
    }

    /// <inheritdoc/>
    public Arena CreateArena(string name, long blockBytes) => new(name, this, blockBytes);

    /// <inheritdoc/>
    public unsafe void Upload<T>(ReadOnlySpan<T> source, Tensor destination)
        where T : unmanaged
    {
        Require.That(
            sizeof(T) == destination.Type.Size() && source.Length == destination.Shape.Count && destination.IsContiguous,
            nameof(destination),
            destination,
            $"{source.Length} adjacent elements of {sizeof(T)} bytes"
        );

        // A canvas to start from.
        _masked.Remove(destination.Address);
    }

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

    private double Bytes(Tensor x) => Elements(x) * x.Type.Size();

    /// <summary>Elements of the rows that hold values; of a list, the elements that do.</summary>
    private double Elements(Tensor x)
    {
        if (x.IsNone)
        {
            return 0;
        }

        if (x.LiveRows == 0 || !_live.TryGetValue(x.LiveRows, out int live))
        {
            return x.Shape.Count;
        }

        return x.Shape.Rank == 1 ? Math.Min(live, x.Shape.Count) : Math.Min(live, x.Rows) * (double)x.Columns;
    }

    /// <summary>As the GPU's workspace grows.</summary>
    private void TakeWorkspace(long bytes)
    {
        if (bytes > _room)
        {
            _room = DeviceWorkspace.Grown(_room, bytes);
            WorkspaceBytes += _room;
        }
    }

    private int Masked(Tensor canvas, int codes) => _masked.GetValueOrDefault(canvas.Address, codes);

    private void Count(string operation, double operations, double read, double written) =>
        Add(operation, new OperationCost(1, operations, 0, read, written));

    /// <summary>Counts products of matrices, of which <paramref name="factor"/> is one, and what else the operation does.</summary>
    private void CountProducts(string operation, Tensor factor, double products, double others, double read, double written) =>
        Add(operation, new OperationCost(1, products + others, factor.Type == ElementType.BFloat16 ? products : 0, read, written));

    private void Add(string operation, OperationCost cost) => CollectionsMarshal.GetValueRefOrAddDefault(_calls, (operation, cost), out _)++;
}
