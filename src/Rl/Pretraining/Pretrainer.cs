using CoGrpo.Model.Meissonic;
using CoGrpo.Model.TextToImage;
using CoGrpo.Runtime;
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
    private readonly IBackend _backend;
    private readonly IPictureSource _source;
    private readonly PretrainingOptions _options;
    private readonly PretrainingBatch _batch;
    private readonly Arena _inputs;
    private readonly Arena _activations;
    private readonly Arena _gradients;
    private readonly Tape _tape;
    private readonly int[] _localRows;
    private readonly float[] _micro;
    private readonly float[] _losses;

    /// <summary>A trainer of <paramref name="model"/>, which stays the caller's.</summary>
    public Pretrainer(TextToImageModel model, IPictureSource source, PretrainingOptions options, ulong seed)
    {
        _model = model;
        _backend = model.Backend;
        _source = source;
        _options = options;
        Seed = seed;
        _batch = new PretrainingBatch(source, options.Batch, model.Transformer.Config.MaskToken);
        _inputs = _backend.CreateArena("inputs", 1 << 20);
        _activations = _backend.CreateArena("activations", 1 << 24);
        _gradients = _backend.CreateArena("activation gradients", 1 << 24);
        _tape = new Tape(_backend, _activations, _gradients);
        var adam = new AdamWOptions(options.Beta1, options.Beta2, options.Epsilon, options.WeightDecay, options.ClipNorm);
        Optimizer = new AdamWOptimizer(_backend, adam, model.Transformer.Parameters, model.TextEncoder.Parameters);
        TransformerAverage = new ParameterAverage(_backend, model.Transformer.Parameters, options.Ema);
        TextAverage = new ParameterAverage(_backend, model.TextEncoder.Parameters, options.Ema);
        _localRows = new int[options.MicroBatch * _batch.CodeCount];
        _losses = new float[options.MicroBatch * _batch.CodeCount];
        _micro = new float[options.MicroBatch * MeissonicTransformer.MicroConditionCount];
        MicroConditions.Fill(_micro, source.GridHeight * options.PixelsPerCode, source.GridWidth * options.PixelsPerCode);
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
        double loss = 0;
        for (int first = 0; first < _batch.Size; first += _options.MicroBatch)
        {
            loss += TrainMicroBatch(first, Math.Min(_options.MicroBatch, _batch.Size - first));
        }

        double learningRate = _options.LearningRateAt(Step);
        double norm = Optimizer.Step(learningRate);
        Step++;
        TransformerAverage.Update(Step);
        TextAverage.Update(Step);
        return new PretrainingMetrics(Step, loss / _batch.FirstRow[_batch.Size], norm, learningRate);
    }

    /// <summary>Frees optimizer, averages and work memory; the model stays.</summary>
    public void Dispose()
    {
        Optimizer.Dispose();
        TransformerAverage.Dispose();
        TextAverage.Dispose();
        _inputs.Dispose();
        _activations.Dispose();
        _gradients.Dispose();
    }

    /// <summary>Adds the gradients of <paramref name="count"/> pictures and returns the sum of their losses.</summary>
    private double TrainMicroBatch(int first, int count)
    {
        int codes = _batch.CodeCount;
        int firstRow = _batch.FirstRow[first];
        int rows = _batch.FirstRow[first + count] - firstRow;
        for (int r = 0; r < rows; r++)
        {
            _localRows[r] = _batch.Rows[firstRow + r] - (first * codes);
        }

        ArenaMark inputs = _inputs.Mark();
        ArenaMark activations = _activations.Mark();
        ArenaMark gradients = _gradients.Mark();
        _tape.Begin(recording: true);
        Var context = _model.TextEncoder.Forward(_tape, _batch.TextIds.AsSpan(first * _source.TextLength, count * _source.TextLength), out Var pooled);
        Var logits = _model.Transformer.Forward(_tape, new TransformerInput
        {
            Codes = Upload<int>(new Shape(count, codes), _batch.Canvas.AsSpan(first * codes, count * codes), ElementType.Int32),
            Height = _source.GridHeight,
            Width = _source.GridWidth,
            Context = context,
            Pooled = pooled,
            Time = Upload<float>(new Shape(count), _batch.MaskedFractions.AsSpan(first, count), ElementType.Float32),
            MicroConditions = Upload<float>(new Shape(count, MeissonicTransformer.MicroConditionCount),
                _micro.AsSpan(0, count * MeissonicTransformer.MicroConditionCount), ElementType.Float32),
            Rows = _localRows.AsSpan(0, rows),
            RecomputeBlocks = _options.RecomputeBlocks,
        }, out _);
        Tensor labels = Upload<int>(new Shape(rows), _batch.Labels.AsSpan(firstRow, rows), ElementType.Int32);
        Tensor losses = _inputs.Allocate(new Shape(rows));
        Tensor values = _tape.Value(logits);
        _backend.CrossEntropy(values, labels, 1f / _batch.FirstRow[_batch.Size], losses, values);
        _tape.Seed(logits, values);
        _tape.Backward();

        _backend.Download(losses, _losses.AsSpan(0, rows));
        double sum = 0;
        foreach (float loss in _losses.AsSpan(0, rows))
        {
            sum += loss;
        }

        _inputs.Release(inputs);
        _activations.Release(activations);
        _gradients.Release(gradients);
        return sum;
    }

    private Tensor Upload<T>(Shape shape, ReadOnlySpan<T> values, ElementType type)
        where T : unmanaged
    {
        Tensor tensor = _inputs.Allocate(shape, type);
        _backend.Upload(values, tensor);
        return tensor;
    }
}
