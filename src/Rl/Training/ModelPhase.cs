using CoGrpo.Model.Meissonic;
using CoGrpo.Model.TextToImage;
using CoGrpo.Rl.Configuration;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Optimization;
using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Rl.Training;

/// <summary>
/// The update of the model from sampled trajectories (specs/grpo.md 6.4): each trained step's canvas is rebuilt, both branches run forward with
/// gradient on the rows decoded at that step alone, and the clipped objective's gradient goes back through guidance and temperature.
/// </summary>
public sealed class ModelPhase : IDisposable
{
    private readonly TextToImageModel _model;
    private readonly ModelPhaseConfiguration _configuration;
    private readonly LaneSet _lanes;
    private readonly ModelPhaseLane[] _work;
    private readonly TextToImageModel? _reference;
    private readonly Action<int> _runLane;
    private Trajectories? _trajectories;
    private bool _onPolicy;
    private double _normalizer;
    private ulong _seed;
    private long _iteration;

    /// <summary>
    /// The phase of <paramref name="lanes"/>' model. With a KL weight the present weights become the reference, without adapters if there are any.
    /// </summary>
    public ModelPhase(LaneSet lanes, ModelPhaseConfiguration configuration)
    {
        _model = lanes.Setup.Model;
        _configuration = configuration;
        _lanes = lanes;
        var adam = new AdamWOptions(
            configuration.Betas[0],
            configuration.Betas[1],
            configuration.Epsilon,
            configuration.WeightDecay,
            configuration.GradClip
        );
        Optimizer = new AdamWOptimizer(_model.Backend, adam, _model.Transformer.Trained);
        Average = configuration.Ema > 0 ? new ParameterAverage(_model.Backend, _model.Transformer.Trained, configuration.Ema) : null;
        if (configuration.Kl > 0)
        {
            _reference = StartingModel(_model);
        }

        _work = new ModelPhaseLane[lanes.Count];
        for (int i = 0; i < _work.Length; i++)
        {
            _work[i] = new ModelPhaseLane(lanes.Lanes[i], configuration, _reference, lanes.Setup);
        }

        _runLane = lane =>
        {
            (int first, int count) = _lanes.Range(lane, _trajectories!.Images, _configuration.Group);
            _work[lane].Run(_trajectories, first, count, _onPolicy, _normalizer, _seed, _iteration);
        };
    }

    /// <summary>The optimizer of the transformer, or of its adapters; the text encoder is frozen (its states are cached per iteration).</summary>
    public AdamWOptimizer Optimizer { get; }

    /// <summary>Averaged weights for evaluation, or null.</summary>
    public ParameterAverage? Average { get; }

    /// <summary>The frozen model the KL term refers to, or null.</summary>
    public TextToImageModel? Reference => _reference;

    /// <summary>
    /// One optimizer step from <paramref name="trajectories"/>, whose advantages are set.
    /// </summary>
    /// <param name="trajectories">Sampled with the present model, or before earlier updates of the same rollout.</param>
    /// <param name="update">0 for the first update of the rollout: the ratio is 1 by construction and is checked against the stored
    /// log-probabilities.</param>
    /// <param name="seed">Seed of the step subset.</param>
    /// <param name="iteration">Iteration, for the warm-up and the step subset.</param>
    /// <param name="validShare">Share of groups with signal; the loss is divided by it when the configuration says so.</param>
    /// <exception cref="InvalidOperationException">The first update does not reproduce the rollout's log-probabilities.</exception>
    public PhaseMetrics Update(Trajectories trajectories, int update, ulong seed, long iteration, double validShare)
    {
        PhaseMetrics metrics = Gradients(trajectories, update, seed, iteration, validShare);
        double warmup = Math.Min(1, (Optimizer.Steps + 1.0) / Math.Max(1, _configuration.Warmup));
        metrics.GradientNorm = Optimizer.Step(_configuration.LearningRate * warmup, Average);
        metrics.LearningRate = _configuration.LearningRate * warmup;
        return metrics;
    }

    /// <summary>
    /// The first half of <see cref="Update"/>: adds the gradients of all lanes to those of the model's trained weights, which are zero between
    /// updates.
    /// </summary>
    /// <exception cref="InvalidOperationException">The first update does not reproduce the rollout's log-probabilities.</exception>
    internal PhaseMetrics Gradients(Trajectories trajectories, int update, ulong seed, long iteration, double validShare)
    {
        (_trajectories, _onPolicy, _seed, _iteration) = (trajectories, update == 0, seed, iteration);
        _normalizer = (double)trajectories.Images * trajectories.Codes * (_configuration.RescaleValidGroups && validShare > 0 ? validShare : 1);
        _lanes.Run(_runLane);
        var metrics = new PhaseMetrics { Objective = ObjectiveStatistics.Empty };
        foreach (ModelPhaseLane lane in _work)
        {
            metrics.Add(lane.Metrics);
        }

        if (update == 0 && metrics.Objective.RolloutMismatch > 0)
        {
            throw new InvalidOperationException(
                $"ratio check, model phase: wanted log-probabilities equal to the rollout's before the first update, got a log-ratio of {metrics.Objective.RolloutMismatch:g3}; " +
                "sampling and training disagree, which is a defect: report it with the run's config.json");
        }

        _lanes.SumGradients(lane => lane.Model.Transformer.Trained, _model.Transformer.Trained, _model.Backend);
        return metrics;
    }

    /// <summary>
    /// With adapters the frozen weights are the model at the start, and adding none costs nothing; without, a copy of all weights is.
    /// </summary>
    private static TextToImageModel StartingModel(TextToImageModel model)
    {
        if (model.Transformer.Lora is not null)
        {
            return model.Replica(model.Backend, adapters: false);
        }

        var copy = new TextToImageModel(model.Transformer.Config, model.TextEncoder.Config, model.Backend);
        copy.CopyFrom(model);
        return copy;
    }

    /// <summary>Frees optimizer, average and reference; lanes and model stay.</summary>
    public void Dispose()
    {
        Optimizer.Dispose();
        Average?.Dispose();
        foreach (ModelPhaseLane lane in _work)
        {
            lane.Dispose();
        }

        _reference?.Dispose();
    }
}
