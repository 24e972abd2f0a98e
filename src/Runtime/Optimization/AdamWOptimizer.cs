using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Runtime.Optimization;

/// <summary>
/// AdamW over one or more networks with one global gradient norm. Vectors (biases, norm weights) are not decayed. A step whose gradient
/// norm is not finite changes nothing and is counted.
/// </summary>
public sealed class AdamWOptimizer : IDisposable
{
    private readonly IBackend _backend;
    private readonly ParameterStore[] _stores;
    private readonly Arena _arena;
    private readonly Tensor[] _first;
    private readonly Tensor[] _second;

    /// <summary>An optimizer with zero moments; enables gradients of the stores.</summary>
    public AdamWOptimizer(IBackend backend, AdamWOptions options, params ParameterStore[] stores)
    {
        _backend = backend;
        _stores = stores;
        Options = options;
        _arena = backend.CreateArena("optimizer", 1 << 20);
        _first = new Tensor[stores.Length];
        _second = new Tensor[stores.Length];
        for (int i = 0; i < stores.Length; i++)
        {
            stores[i].EnableGradients();
            _first[i] = _arena.Allocate(stores[i].Values.Shape);
            _second[i] = _arena.Allocate(stores[i].Values.Shape);
            backend.Fill(_first[i], 0);
            backend.Fill(_second[i], 0);
        }
    }

    /// <summary>The fixed hyper-parameters.</summary>
    public AdamWOptions Options { get; }

    /// <summary>Updates made.</summary>
    public long Steps { get; set; }

    /// <summary>Steps left out because the gradient norm was not finite.</summary>
    public long NonFiniteSteps { get; set; }

    /// <summary>The moments of store <paramref name="store"/>, laid out like its values: what a checkpoint holds beside <see cref="Steps"/>.</summary>
    public (Tensor First, Tensor Second) Moments(int store) => (_first[store], _second[store]);

    /// <summary>
    /// One update from the accumulated gradients, clipped to the global norm (coefficient max/(norm + 1e-6), at most 1), then zeroes them.
    /// Returns the norm before clipping.
    /// </summary>
    public double Step(double learningRate)
    {
        double squared = 0;
        foreach (ParameterStore store in _stores)
        {
            squared += _backend.SquaredNorm(store.Gradients);
        }

        double norm = Math.Sqrt(squared);
        if (!double.IsFinite(norm))
        {
            NonFiniteSteps++;
            ZeroGradients();
            return norm;
        }

        float scale = Options.ClipNorm > 0 ? (float)Math.Min(1, Options.ClipNorm / (norm + 1e-6)) : 1;
        Steps++;
        var decayed = new AdamWStep(learningRate, Options.Beta1, Options.Beta2, Options.Epsilon, Options.WeightDecay, Steps);
        AdamWStep plain = decayed with { WeightDecay = 0 };
        for (int i = 0; i < _stores.Length; i++)
        {
            ParameterStore store = _stores[i];
            for (int p = 0; p < store.Parameters.Count; p++)
            {
                Parameter parameter = store.Parameters[p];
                _backend.AdamW(parameter.Value, parameter.Gradient, store.Slice(_first[i], parameter), store.Slice(_second[i], parameter),
                    parameter.Decays ? decayed : plain, scale);
            }
        }

        ZeroGradients();
        return norm;
    }

    /// <summary>Frees the moments.</summary>
    public void Dispose() => _arena.Dispose();

    private void ZeroGradients()
    {
        foreach (ParameterStore store in _stores)
        {
            store.ZeroGradients();
        }
    }
}
