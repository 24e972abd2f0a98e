using CoGrpo.Model.Meissonic;
using CoGrpo.Model.TextToImage;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Rl.Pretraining;

/// <summary>One replica's share of a pre-training batch: micro-batches forward and backward into its own gradients.</summary>
internal sealed class PretrainingLane : IDisposable
{
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
    private readonly bool _ownsBackend;

    /// <param name="model">The replica, owned from here on, with its backend if <paramref name="ownsBackend"/>.</param>
    /// <param name="batch">Shared, read only while lanes run.</param>
    /// <param name="source">Sizes of texts and pictures.</param>
    /// <param name="options">Settings.</param>
    /// <param name="ownsBackend">Whether the replica has a backend of its own.</param>
    public PretrainingLane(TextToImageModel model, PretrainingBatch batch, IPictureSource source, PretrainingOptions options, bool ownsBackend)
    {
        Model = model;
        _ownsBackend = ownsBackend;
        _source = source;
        _options = options;
        _batch = batch;
        IBackend backend = model.Backend;
        _inputs = backend.CreateArena("inputs", 1 << 20);
        _activations = backend.CreateArena("activations", 1 << 24);
        _gradients = backend.CreateArena("activation gradients", 1 << 24);
        _tape = new Tape(backend, _activations, _gradients);
        _localRows = new int[options.MicroBatch * batch.CodeCount];
        _losses = new float[options.MicroBatch * batch.CodeCount];
        _micro = new float[options.MicroBatch * MeissonicTransformer.MicroConditionCount];
        MicroConditions.Fill(_micro, source.GridHeight * options.PixelsPerCode, source.GridWidth * options.PixelsPerCode);
        model.Transformer.Parameters.EnableGradients();
        model.TextEncoder.Parameters.EnableGradients();
    }

    public TextToImageModel Model { get; }

    /// <summary>Sum of the losses of the last <see cref="Run"/>.</summary>
    public double LossSum { get; private set; }

    /// <summary>Processes every micro-batch whose number is <paramref name="lane"/> modulo <paramref name="lanes"/>, in order.</summary>
    public void Run(int lane, int lanes)
    {
        Model.Transformer.Parameters.ZeroGradients();
        Model.TextEncoder.Parameters.ZeroGradients();
        LossSum = 0;
        int size = _options.MicroBatch;
        for (int first = lane * size; first < _batch.Size; first += lanes * size)
        {
            LossSum += TrainMicroBatch(first, Math.Min(size, _batch.Size - first));
        }
    }

    public void Dispose()
    {
        _inputs.Dispose();
        _activations.Dispose();
        _gradients.Dispose();
        Model.Dispose();
        if (_ownsBackend)
        {
            Model.Backend.Dispose();
        }
    }

    /// <summary>Adds the gradients of <paramref name="count"/> pictures and returns the sum of their losses.</summary>
    private double TrainMicroBatch(int first, int count)
    {
        IBackend backend = Model.Backend;
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
        _tape.Begin(recording: true, backend.Storage);
        Var context = Model.TextEncoder.Forward(_tape, _batch.TextIds.AsSpan(first * _source.TextLength, count * _source.TextLength), out Var pooled);
        Var logits = Model.Transformer.Forward(_tape, new TransformerInput
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
        backend.CrossEntropy(values, labels, 1f / _batch.FirstRow[_batch.Size], losses, values);
        _tape.Seed(logits, values);
        _tape.Backward();

        backend.Download(losses, _losses.AsSpan(0, rows));
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
        Model.Backend.Upload(values, tensor);
        return tensor;
    }
}
