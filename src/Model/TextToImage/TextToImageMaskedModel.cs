using CoGrpo.Model.Meissonic;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Model.TextToImage;

/// <summary>
/// A <see cref="TextToImageModel"/> as the sampling loop sees it. Prompts are encoded once (<see cref="SetPrompts"/>) and addressed by index;
/// 0 is the empty or negative prompt.
/// </summary>
public sealed class TextToImageMaskedModel : IMaskedModel, IDisposable
{
    private readonly TextToImageModel _model;
    private readonly int _height;
    private readonly int _width;
    private readonly Arena _promptArena;
    private readonly Arena _work;
    private readonly Tape _tape;
    private readonly Arena _tables;
    private Tensor _contexts;
    private Tensor _pooled;
    private readonly TimeInput _time;
    private readonly float[] _conditions = new float[MeissonicTransformer.MicroConditionCount];
    private Tensor _micro;

    /// <summary>A view of <paramref name="model"/>, which stays the caller's, for pictures of height x width codes.</summary>
    public TextToImageMaskedModel(TextToImageModel model, int height, int width, int pixelsPerCode, TimeInput time = TimeInput.MaskedFraction)
    {
        _time = time;
        _model = model;
        _height = height;
        _width = width;
        MicroConditions.Fill(_conditions, height * pixelsPerCode, width * pixelsPerCode);
        DefaultMicroConditions = [.. _conditions];
        _promptArena = model.Backend.CreateArena("prompts", 1 << 16);
        _tables = model.Backend.CreateArena("tables", 1 << 12);
        _work = model.Backend.CreateArena("activations", 1 << 22);
        _tape = new Tape(model.Backend, _work, _work);
        int factor = model.Transformer.Config.Downsample ? 4 : 1;
        FeatureShape = new Shape(height * width / factor, model.Transformer.Config.Width);
    }

    /// <inheritdoc/>
    public IBackend Backend => _model.Backend;

    /// <inheritdoc/>
    public int Codes => _height * _width;

    /// <inheritdoc/>
    public int Vocabulary => _model.Transformer.Config.CodebookSize;

    /// <inheritdoc/>
    public int MaskToken => _model.Transformer.Config.MaskToken;

    /// <inheritdoc/>
    public Shape FeatureShape { get; }

    /// <inheritdoc/>
    public ElementType Storage => Backend.Storage;

    /// <inheritdoc/>
    public Tensor Head => _model.Transformer.Head;

    /// <inheritdoc/>
    public int RecordingVersion { get; private set; }

    /// <summary>Rows and columns of the feature grid.</summary>
    public (int Height, int Width) FeatureGrid => _model.Transformer.Config.Downsample ? (_height / 2, _width / 2) : (_height, _width);

    /// <summary>Rows of the code grid.</summary>
    public int Height => _height;

    /// <summary>Columns of the code grid.</summary>
    public int Width => _width;

    /// <summary>The picture scalars of this size: no crop, the score of the reference pipeline.</summary>
    public IReadOnlyList<float> DefaultMicroConditions { get; }

    /// <summary>Prompts held, the empty one included.</summary>
    public int PromptCount { get; private set; }

    /// <summary>Encodes P prompts of L ids each; the first must be the empty prompt. Replaces those held before.</summary>
    public void SetPrompts(ReadOnlySpan<int> ids)
    {
        int length = _model.TextEncoder.Config.MaxPositionEmbeddings;
        PromptCount = ids.Length / length;
        (nint contexts, nint pooledAt) = (_contexts.Address, _pooled.Address);
        _promptArena.Release(default);
        int joint = _model.Transformer.Config.JointAttentionDim;
        _contexts = _promptArena.Allocate(new Shape(PromptCount, length * joint), Storage);
        _pooled = _promptArena.Allocate(new Shape(PromptCount, _model.Transformer.Config.PooledProjectionDim), Storage);
        if ((contexts, pooledAt) != (_contexts.Address, _pooled.Address))
        {
            RecordingVersion++;
        }

        ArenaMark mark = _work.Mark();
        _tape.Begin(recording: false, Storage);
        Var context = _model.TextEncoder.Forward(_tape, ids, out Var pooled);
        Backend.Copy(_tape.Value(context).Reshape(_contexts.Shape), _contexts);
        Backend.Copy(_tape.Value(pooled), _pooled);
        _work.Release(mark);
    }

    /// <summary>
    /// Uses the encoded prompts of another view in the same address space, which must keep them: for a reference model with the same text encoder.
    /// </summary>
    public void SharePrompts(TextToImageMaskedModel source)
    {
        (PromptCount, _contexts, _pooled) = (source.PromptCount, source._contexts, source._pooled);
        RecordingVersion++;
    }

    /// <summary>Replaces the five picture scalars: width, height, crop x, crop y, aesthetic score (specs/meissonic.md 1).</summary>
    /// <exception cref="ArgumentException">There are not five, or one is not finite.</exception>
    public void SetMicroConditions(IReadOnlyList<float> conditions)
    {
        if (conditions.Count != _conditions.Length || conditions.Any(value => !float.IsFinite(value)))
        {
            throw new ArgumentException($"micro-conditions: wanted {_conditions.Length} finite numbers (width, height, crop x, crop y, score), got {string.Join(", ", conditions)}", nameof(conditions));
        }

        if (conditions.SequenceEqual(_conditions))
        {
            return;
        }

        for (int i = 0; i < _conditions.Length; i++)
        {
            _conditions[i] = conditions[i];
        }

        _tables.Release(default);
        _micro = default;
        RecordingVersion++;
    }

    /// <inheritdoc/>
    public void Predict(in MaskedBatch batch, Tensor output, Tensor features)
    {
        ArenaMark mark = _work.Mark();
        _tape.Begin(recording: false, Storage);
        Tensor time = batch.MaskedFractions;
        if (_time == TimeInput.StepCounter)
        {
            time = _work.Allocate(time.Shape);
            Backend.Fill(time, batch.Steps - 1 - batch.Step);
        }

        TransformerInput input = Input(_tape, batch.Canvas, batch.Prompts, time);
        input.DeviceRows = batch.Rows;
        input.Output = TransformerOutput.Hidden;
        Tensor hidden = _tape.Value(_model.Transformer.Forward(_tape, in input, out Var last));
        Backend.Copy(hidden, output);
        if (!features.IsNone)
        {
            Tensor z = _tape.Value(last);
            int n = FeatureShape[0];
            Backend.CopyTokens(z, z.Shape[1] - n, features, 0, n);
        }

        _work.Release(mark);
    }

    /// <summary>
    /// The input of a forward pass on <paramref name="tape"/> for B canvases, each with its prompt (Int32 [B]) and time input ([B]): used by
    /// <see cref="Predict"/> and by training, so that both see the same bits. Text states are constants.
    /// </summary>
    public TransformerInput Input(Tape tape, Tensor canvas, Tensor prompts, Tensor time)
    {
        int images = (int)prompts.Shape.Count;
        int length = _model.TextEncoder.Config.MaxPositionEmbeddings;
        int joint = _model.Transformer.Config.JointAttentionDim;
        Arena arena = tape.Activations;
        Tensor context = arena.Allocate(new Shape(images, length * joint), Storage);
        Tensor pooled = arena.Allocate(new Shape(images, _pooled.Columns), Storage);
        Backend.GatherRows(_contexts, prompts, context);
        Backend.GatherRows(_pooled, prompts, pooled);
        return new TransformerInput
        {
            Codes = canvas,
            Height = _height,
            Width = _width,
            Context = tape.Constant(context.Reshape(new Shape(images, length, joint))),
            Pooled = tape.Constant(pooled),
            Time = time,
            MicroConditions = MicroConditionRows(images),
        };
    }

    /// <summary>Frees prompts and work memory; the model stays.</summary>
    public void Dispose()
    {
        _promptArena.Dispose();
        _tables.Dispose();
        _work.Dispose();
    }

    /// <summary>[B,5], the same row for every image; uploaded when more images come than ever before.</summary>
    private Tensor MicroConditionRows(int images)
    {
        int count = MeissonicTransformer.MicroConditionCount;
        if (_micro.IsNone || _micro.Rows < images)
        {
            float[] rows = new float[images * count];
            for (int i = 0; i < images; i++)
            {
                _conditions.CopyTo(rows, i * count);
            }

            _micro = _tables.Allocate(new Shape(images, count));
            Backend.Upload<float>(rows, _micro);
            RecordingVersion++;
        }

        return new Tensor(_micro.Address, new Shape(images, count), _micro.Type);
    }
}
