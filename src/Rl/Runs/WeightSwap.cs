using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Optimization;

namespace CoGrpo.Rl.Runs;

/// <summary>Puts averaged weights in place of the trained ones until it is disposed; networks without average keep theirs.</summary>
internal sealed class WeightSwap : IDisposable
{
    private readonly Arena _kept;
    private readonly List<(ParameterStore Store, Tensor Trained)> _swapped = [];

    public WeightSwap(IBackend backend, params ReadOnlySpan<(ParameterStore Store, ParameterAverage? Average)> networks)
    {
        _kept = backend.CreateArena("trained weights", 1 << 16);
        foreach ((ParameterStore store, ParameterAverage? average) in networks)
        {
            if (average is not null)
            {
                Tensor trained = _kept.Allocate(store.Values.Shape);
                backend.Copy(store.Values, trained);
                average.CopyTo(store);
                _swapped.Add((store, trained));
            }
        }
    }

    public void Dispose()
    {
        foreach ((ParameterStore store, Tensor trained) in _swapped)
        {
            store.CopyValues(trained);
        }

        _kept.Dispose();
    }
}
