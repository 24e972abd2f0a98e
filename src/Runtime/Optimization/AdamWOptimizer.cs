using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Runtime.Optimization;

/// <summary>
/// AdamW over one or more networks with one global gradient norm. Vectors (biases, norm weights) are not decayed. A step whose gradient
/// norm is not finite changes nothing and is counted; the device decides that by itself, so that a step waits for it only once, at its end.
/// </summary>
public sealed class AdamWOptimizer : IDisposable
{
    private readonly IBackend _backend;
    private readonly ParameterStore[] _stores;
    private readonly Arena _arena;
    private readonly Tensor[] _first;
    private readonly Tensor[] _second;
    private readonly Tensor[] _decays;
    private readonly Tensor _squaredNorm;

    /// <summary>An optimizer with zero moments; enables gradients of the stores.</summary>
    public AdamWOptimizer(IBackend backend, AdamWOptions options, params ParameterStore[] stores)
    {
        _backend = backend;
        _stores = stores;
        Options = options;
        _arena = backend.CreateArena("optimizer", 1 << 20);
        _squaredNorm = _arena.Allocate(new Shape(1), ElementType.Float64);
        _first = new Tensor[stores.Length];
        _second = new Tensor[stores.Length];
        _decays = new Tensor[stores.Length];
        for (int i = 0; i < stores.Length; i++)
        {
            stores[i].EnableGradients();
            _first[i] = _arena.Allocate(stores[i].Values.Shape);
            _second[i] = _arena.Allocate(stores[i].Values.Shape);
            backend.Fill(_first[i], 0);
            backend.Fill(_second[i], 0);
            byte[] decays = stores[i].DecayBlocks(AdamWOperands.DecayBlock);
            _decays[i] = _arena.Allocate(new Shape(decays.Length), ElementType.UInt8);
            backend.Upload<byte>(decays, _decays[i]);
        }
    }

    /// <summary>The fixed hyper-parameters.</summary>
    public AdamWOptions Options { get; }

    /// <summary>Updates made.</summary>
    public long Steps { get; set; }

    /// <summary>Steps left out because the gradient norm was not finite.</summary>
    public long NonFiniteSteps { get; set; }

    /// <summary>
    /// The moments of store <paramref name="store"/>, laid out like its values: what a checkpoint holds beside <see cref="Steps"/>.
    /// </summary>
    public (Tensor First, Tensor Second) Moments(int store) => (_first[store], _second[store]);

    /// <summary>
    /// One update from the accumulated gradients, clipped to the global norm (coefficient max/(norm + 1e-6), at most 1), then zeroes them.
    /// Returns the norm before clipping.
    /// </summary>
    /// <param name="learningRate">lr.</param>
    /// <param name="averages">Empty, or an average or null for each store, updated with the new weights.</param>
    public double Step(double learningRate, params ReadOnlySpan<ParameterAverage?> averages)
    {
        for (int i = 0; i < _stores.Length; i++)
        {
            _backend.SquaredNorm(_stores[i].Gradients, _squaredNorm, accumulate: i > 0);
        }

        var step = new AdamWStep(learningRate, Options.Beta1, Options.Beta2, Options.Epsilon, Options.WeightDecay, Steps + 1, Options.ClipNorm);
        for (int i = 0; i < _stores.Length; i++)
        {
            ParameterStore store = _stores[i];
            ParameterAverage? average = averages.IsEmpty ? null : averages[i];
            _backend.AdamW(new AdamWOperands
            {
                Parameter = store.Values,
                Gradient = store.Gradients,
                FirstMoment = _first[i],
                SecondMoment = _second[i],
                Decays = _decays[i],
                SquaredNorm = _squaredNorm,
                Compute = store.ComputeCopy,
                Average = average?.Values ?? default,
                AverageDecay = average?.DecayAt(Steps + 1) ?? 0,
            }, step);
        }

        Span<double> squared = stackalloc double[1];
        _backend.Download(_squaredNorm, squared);
        double norm = Math.Sqrt(squared[0]);
        if (double.IsFinite(norm))
        {
            Steps++;
        }
        else
        {
            NonFiniteSteps++;
        }

        return norm;
    }

    /// <summary>Frees the moments.</summary>
    public void Dispose() => _arena.Dispose();
}
