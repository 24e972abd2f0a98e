using CoGrpo.Model.TextToImage;
using CoGrpo.Rl.Parallel;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Optimization;

namespace CoGrpo.Rl.Pretraining;

/// <summary>
/// Masked-token training of transformer and text encoder together (specs/meissonic.md 7): mean cross-entropy over masked positions, mask
/// ratio by the arccos law, text dropout for guidance, AdamW, an exponential average of the weights. The time input is the masked fraction.
/// </summary>
public sealed class Pretrainer : IDisposable
{
    private readonly TextToImageModel _model;
    private readonly PretrainingOptions _options;
    private readonly PretrainingBatch _batch;
    private readonly LaneTeam _team;
    private readonly PretrainingLane[] _lanes;
    private readonly Action<int> _runLane;

    /// <summary>
    /// A trainer of <paramref name="model"/>, which stays the caller's. <paramref name="laneBackend"/> makes the backend of each replica, owned by
    /// the trainer unless it is the model's own.
    /// </summary>
    public Pretrainer(TextToImageModel model, IPictureSource source, PretrainingOptions options, ulong seed, Func<IBackend> laneBackend)
    {
        _model = model;
        _options = options;
        Seed = seed;
        _batch = new PretrainingBatch(source, options.Batch, model.Transformer.Config.MaskToken);
        var adam = new AdamWOptions(options.Beta1, options.Beta2, options.Epsilon, options.WeightDecay, options.ClipNorm);
        Optimizer = new AdamWOptimizer(model.Backend, adam, model.Transformer.Parameters, model.TextEncoder.Parameters);
        TransformerAverage = new ParameterAverage(model.Backend, model.Transformer.Parameters, options.Ema);
        TextAverage = new ParameterAverage(model.Backend, model.TextEncoder.Parameters, options.Ema);
        _team = new LaneTeam(options.Lanes);
        _lanes = new PretrainingLane[options.Lanes];
        for (int i = 0; i < _lanes.Length; i++)
        {
            IBackend backend = laneBackend();
            _lanes[i] = new PretrainingLane(model.Replica(backend), _batch, source, options, !ReferenceEquals(backend, model.Backend));
        }

        _runLane = lane => _lanes[lane].Run(lane, _lanes.Length);
    }

    /// <summary>Seed of the data.</summary>
    public ulong Seed { get; }

    /// <summary>Steps made; set when a run is resumed.</summary>
    public long Step { get; set; }

    /// <summary>The optimizer of both networks.</summary>
    public AdamWOptimizer Optimizer { get; }

    /// <summary>Averaged transformer weights.</summary>
    public ParameterAverage TransformerAverage { get; }

    /// <summary>Averaged text encoder weights.</summary>
    public ParameterAverage TextAverage { get; }

    /// <summary>One optimizer step on a fresh batch.</summary>
    public PretrainingMetrics Train()
    {
        _batch.Draw(Seed, Step, _options.TextDropout);
        _team.Run(_runLane);
        double loss = 0;
        foreach (PretrainingLane lane in _lanes)
        {
            loss += lane.LossSum;
            Accumulate(lane.Model.Transformer.Parameters, _model.Transformer.Parameters);
            Accumulate(lane.Model.TextEncoder.Parameters, _model.TextEncoder.Parameters);
        }

        double learningRate = _options.LearningRateAt(Step);
        double norm = Optimizer.Step(learningRate, TransformerAverage, TextAverage);
        Step++;
        return new PretrainingMetrics(Step, loss / _batch.FirstRow[_batch.Size], norm, learningRate);
    }

    /// <summary>Frees optimizer, averages, replicas and their backends; the model stays.</summary>
    public void Dispose()
    {
        _team.Dispose();
        foreach (PretrainingLane lane in _lanes)
        {
            lane.Dispose();
        }

        Optimizer.Dispose();
        TransformerAverage.Dispose();
        TextAverage.Dispose();
    }

    private void Accumulate(ParameterStore lane, ParameterStore total) =>
        _model.Backend.Add(lane.Gradients, default, total.Gradients, accumulate: true);
}
