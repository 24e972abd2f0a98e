using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Runtime.Optimization;

/// <summary>
/// Exponential moving average of a network's weights, updated by <see cref="AdamWOptimizer.Step"/>. The decay ramps up as (1 + n)/(10 + n), so
/// that early averages follow the weights.
/// </summary>
public sealed class ParameterAverage : IDisposable
{
    private readonly Arena _arena;

    /// <summary>An average that starts at the present weights.</summary>
    public ParameterAverage(IBackend backend, ParameterStore store, double decay)
    {
        ArgumentNullException.ThrowIfNull(backend);
        ArgumentNullException.ThrowIfNull(store);
        Decay = decay;
        _arena = backend.CreateArena("average", 1 << 20);
        Values = _arena.Allocate(store.Values.Shape);
        backend.Copy(store.Values, Values);
    }

    /// <summary>Largest decay.</summary>
    public double Decay { get; }

    /// <summary>The averaged weights, laid out like the store's.</summary>
    public Tensor Values { get; }

    /// <summary>min(decay, (1 + n)/(10 + n)) for update number n, from 1.</summary>
    public float DecayAt(long update) => (float)Math.Min(Decay, (1.0 + update) / (10.0 + update));

    /// <summary>Copies the average into another network of the same layout.</summary>
    public void CopyTo(ParameterStore destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        destination.CopyValues(Values);
    }

    /// <summary>Frees the average.</summary>
    public void Dispose() => _arena.Dispose();
}
