using CoGrpo.Model.Meissonic;
using CoGrpo.Model.TextToImage;
using CoGrpo.Rl.Configuration;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Rl.Training;

/// <summary>
/// One lane's share of a model update. A segment is one (trajectory, trained step); micro-batches of segments run forward and backward and
/// leave their gradients in the lane's replica.
/// </summary>
internal sealed class ModelPhaseLane : IDisposable
{
    private readonly TrainingLane _lane;
    private readonly ModelPhaseConfiguration _configuration;
    private readonly ClippedObjective _onPolicy;
    private readonly ClippedObjective _stored;
    private readonly TextToImageModel? _reference;
    private readonly TextToImageMaskedModel? _referenceMasked;
    private readonly SegmentBatch _batch;
    private readonly Tape _constantTape;
    private Tensor _squares;
    private PhaseMetrics _metrics;

    public ModelPhaseLane(TrainingLane lane, ModelPhaseConfiguration configuration, TextToImageModel? reference, LaneSetup setup)
    {
        _lane = lane;
        _configuration = configuration;
        var settings = new ObjectiveSettings
        {
            Clip = configuration.ClipEpsilon,
            ClipHigh = configuration.ClipEpsilonHigh,
            RatioCap = configuration.TwoSidedCap,
            KlWeight = configuration.Kl,
            OnPolicy = true,
        };
        _onPolicy = new ClippedObjective(settings);
        _stored = new ClippedObjective(settings with { OnPolicy = false });
        _batch = new SegmentBatch(configuration.MicroBatch, setup.Height * setup.Width, setup.Model.Transformer.Config.MaskToken, setup.Time);
        _constantTape = new Tape(lane.Backend, lane.Activations, lane.Gradients);
        if (reference is not null)
        {
            _reference = reference.Replica(lane.Backend);
            _referenceMasked = new TextToImageMaskedModel(_reference, setup.Height, setup.Width, setup.PixelsPerCode, setup.Time);
        }
    }

    /// <summary>Sums of the last <see cref="Run"/>.</summary>
    public ref readonly PhaseMetrics Metrics => ref _metrics;

    /// <summary>Computes the gradients of images [first, first + count).</summary>
    public void Run(Trajectories trajectories, int first, int count, bool onPolicy, double normalizer, ulong seed, long iteration)
    {
        _metrics = new PhaseMetrics { Objective = ObjectiveStatistics.Empty };
        ParameterStore store = _lane.Model.Transformer.Trained;
        store.EnableGradients();
        store.ZeroGradients();
        ArenaMark mark = _lane.Inputs.Mark();
        _squares = _lane.Upload<double>(new Shape(2), [0, 0], ElementType.Float64);
        Span<int> steps = stackalloc int[trajectories.Steps];
        _batch.Clear();
        for (int image = first; image < first + count; image++)
        {
            long trajectory = (iteration * trajectories.Images) + image;
            int chosen = StepSubset.Draw(trajectories.Steps, _configuration.StepsTrained, seed, trajectory, steps, out double weight);
            foreach (int step in steps[..chosen])
            {
                _batch.Add(trajectories, image, step, weight);
                if (_batch.IsFull)
                {
                    RunBatch(trajectories, onPolicy, normalizer);
                }
            }
        }

        if (_batch.Count > 0)
        {
            RunBatch(trajectories, onPolicy, normalizer);
        }

        Span<double> squares = stackalloc double[2];
        _lane.Backend.Download(_squares, squares);
        (_metrics.ConditionalGradientSquares, _metrics.UnconditionalGradientSquares) = (squares[0], squares[1]);
        _lane.Inputs.Release(mark);
    }

    public void Dispose()
    {
        _referenceMasked?.Dispose();
        _reference?.Dispose();
    }

    private void RunBatch(Trajectories trajectories, bool onPolicy, double normalizer)
    {
        SegmentBatch batch = _batch;
        int rows = batch.RowCount;
        bool guided = batch.IsGuided && _configuration.CfgGrad != GuidanceGradient.None;
        bool unconditionalGradient = guided && _configuration.CfgGrad == GuidanceGradient.Both;
        ArenaMark inputs = _lane.Inputs.Mark();
        ArenaMark activations = _lane.Activations.Mark();
        ArenaMark gradients = _lane.Gradients.Mark();
        if (rows > 0)
        {
            IBackend backend = _lane.Backend;
            Tensor canvas = _lane.Upload<int>(new Shape(batch.Count, trajectories.Codes), batch.Canvas, ElementType.Int32);
            Tensor tokens = _lane.Upload<int>(new Shape(rows), batch.Tokens, ElementType.Int32);
            Tensor guidance = _lane.Upload<float>(new Shape(rows), batch.Guidance, ElementType.Float32);
            Tensor temperature = _lane.Upload<float>(new Shape(rows), batch.Temperature, ElementType.Float32);
            Tensor prompts = _lane.Upload<int>(new Shape(batch.Count), batch.Prompts, ElementType.Int32);
            Tensor empty = _lane.Upload<int>(new Shape(batch.Count), batch.EmptyPrompts, ElementType.Int32);
            Tensor times = _lane.Upload<float>(new Shape(batch.Count), batch.Times, ElementType.Float32);
            if (_configuration.Kl > 0)
            {
                ReferenceLogProb(new Canvases(canvas, prompts, empty, times), tokens, guidance, temperature, guided);
            }

            Tensor constantUnconditional = guided && !unconditionalGradient ? Detached(_lane.Masked, _lane.Model, canvas, empty, times) : default;
            _lane.Tape.Begin(recording: true, backend.Storage);
            Var c = Forward(_lane.Tape, _lane.Masked, _lane.Model, canvas, prompts, times);
            Var u = unconditionalGradient ? Forward(_lane.Tape, _lane.Masked, _lane.Model, canvas, empty, times) : default;
            Tensor cv = _lane.Tape.Value(c);
            Tensor uv = unconditionalGradient ? _lane.Tape.Value(u) : constantUnconditional;
            Tensor logProb = _lane.Inputs.Allocate(new Shape(rows));
            Tensor entropy = _lane.Inputs.Allocate(new Shape(rows));
            Tensor logSumExp = _lane.Inputs.Allocate(new Shape(rows));
            backend.LogProbGather(cv, uv, guidance, temperature, tokens, logProb, default, entropy, logSumExp);
            Tensor upstream = Upstream(logProb, onPolicy, normalizer);
            Tensor du = unconditionalGradient ? uv : default;
            backend.LogProbGatherBackward(upstream, cv, uv, guidance, temperature, tokens, logSumExp, cv, du);
            backend.SquaredNorm(cv, Square(0), accumulate: true);
            _lane.Tape.Seed(c, cv);
            if (unconditionalGradient)
            {
                backend.SquaredNorm(uv, Square(1), accumulate: true);
                _lane.Tape.Seed(u, uv);
            }

            _lane.Tape.Backward();
            backend.Download(logProb, batch.LogProb);
            backend.Download(entropy, batch.Entropy);
            AddRowMetrics(trajectories.Steps);
        }

        Measure(onPolicy, normalizer);

        _lane.Inputs.Release(inputs);
        _lane.Activations.Release(activations);
        _lane.Gradients.Release(gradients);
        batch.Clear();
    }

    /// <summary>
    /// [R] gradient of the loss with respect to each row's log-probability, made on the device so that nothing waits between the two passes.
    /// </summary>
    private Tensor Upstream(Tensor logProb, bool onPolicy, double normalizer)
    {
        SegmentBatch batch = _batch;
        Shape rows = new(batch.RowCount);
        Shape segments = new(batch.Count);
        Tensor upstream = _lane.Inputs.Allocate(rows);
        _lane.Backend.ClippedObjective(new ClippedObjectiveOperands
        {
            LogProb = logProb,
            OldLogProb = onPolicy ? default : _lane.Upload(rows, batch.OldLogProb, ElementType.Float32),
            ReferenceLogProb = _configuration.Kl > 0 ? _lane.Upload<float>(rows, batch.ReferenceLogProb, ElementType.Float32) : default,
            Starts = _lane.Upload(new Shape(batch.Count + 1), batch.SegmentStarts, ElementType.Int32),
            Advantages = _lane.Upload(segments, batch.Advantages, ElementType.Float64),
            Weights = _lane.Upload(segments, batch.Weights, ElementType.Float64),
            Upstream = upstream,
        }, _onPolicy.Surrogate, normalizer, _configuration.Kl);
        return upstream;
    }

    /// <summary>Loss, ratios and clip fractions from the downloaded log-probabilities.</summary>
    private void Measure(bool onPolicy, double normalizer)
    {
        SegmentBatch batch = _batch;
        var tokens = new TokenInput
        {
            LogProb = batch.LogProb,
            OldLogProb = _configuration.CfgGrad == GuidanceGradient.None && onPolicy ? default : batch.OldLogProb,
            ReferenceLogProb = _configuration.Kl > 0 ? batch.ReferenceLogProb : default,
            Segments = batch.RowSegments,
        };
        var segments = new SegmentInput { Advantages = batch.Advantages, Weights = batch.Weights, Normalizer = normalizer };
        _metrics.Objective.Add((onPolicy ? _onPolicy : _stored).Tokens(tokens, segments, batch.Output, batch.Upstream));
    }

    private Var Forward(Tape tape, TextToImageMaskedModel masked, TextToImageModel model, Tensor canvas, Tensor prompts, Tensor times)
    {
        TransformerInput input = masked.Input(tape, canvas, prompts, times);
        input.Rows = _batch.Rows;
        input.RecomputeBlocks = _configuration.RecomputeBlocks;
        return model.Transformer.Forward(tape, in input, out _);
    }

    /// <summary>Unconditional logits without gradient, kept in the inputs arena.</summary>
    private Tensor Detached(TextToImageMaskedModel masked, TextToImageModel model, Tensor canvas, Tensor empty, Tensor times)
    {
        ArenaMark mark = _lane.Activations.Mark();
        _constantTape.Begin(recording: false, _lane.Backend.Storage);
        Tensor logits = _constantTape.Value(Forward(_constantTape, masked, model, canvas, empty, times));
        Tensor kept = _lane.Inputs.Allocate(logits.Shape);
        _lane.Backend.Copy(logits, kept);
        _lane.Activations.Release(mark);
        return kept;
    }

    private void ReferenceLogProb(in Canvases batch, Tensor tokens, Tensor guidance, Tensor temperature, bool guided)
    {
        TextToImageMaskedModel masked = _referenceMasked!;
        TextToImageModel model = _reference!;
        masked.SharePrompts(_lane.Masked);
        Tensor u = guided ? Detached(masked, model, batch.Canvas, batch.Empty, batch.Times) : default;
        ArenaMark mark = _lane.Activations.Mark();
        _constantTape.Begin(recording: false, _lane.Backend.Storage);
        Tensor c = _constantTape.Value(Forward(_constantTape, masked, model, batch.Canvas, batch.Prompts, batch.Times));
        Tensor logProb = _lane.Inputs.Allocate(new Shape(_batch.RowCount));
        _lane.Backend.LogProbGather(c, u, guidance, temperature, tokens, logProb, default, default, default);
        _lane.Backend.Download(logProb, _batch.ReferenceLogProb);
        _lane.Activations.Release(mark);
    }

    /// <summary>Float64 [1]: sum of squared gradients with respect to the conditional (0) or unconditional (1) logits.</summary>
    private Tensor Square(int branch) => new(_squares.Address + (branch * sizeof(double)), new Shape(1), ElementType.Float64);

    private void AddRowMetrics(int steps)
    {
        ReadOnlySpan<int> segments = _batch.RowSegments;
        for (int r = 0; r < segments.Length; r++)
        {
            int quarter = Math.Min(3, 4 * _batch.StepOf(segments[r]) / steps);
            _metrics.EntropySum[quarter] += _batch.Entropy[r];
            _metrics.EntropyRows[quarter]++;
            _metrics.LogProbSum += _batch.LogProb[r];
        }
    }

    /// <summary>Device side of a micro-batch: canvases, their prompts, the empty ones, what the model is told about time.</summary>
    private readonly record struct Canvases(Tensor Canvas, Tensor Prompts, Tensor Empty, Tensor Times);
}
