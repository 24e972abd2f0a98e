using CoGrpo.Model.Meissonic;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Model.TextToImage;

/// <summary>
/// A <see cref="TextToImageModel"/> as the sampling loop sees it. Prompts are encoded once (<see cref="SetPrompts"/>) and addressed by index;
/// 0 is the empty prompt. The time input is the masked fraction (specs/grpo.md 8, resolution 19).
/// </summary>
public sealed class TextToImageMaskedModel : IMaskedModel, IDisposable
{
    private readonly TextToImageModel _model;
    private readonly int _height;
    private readonly int _width;
    private readonly int _pixelsPerCode;
    private readonly Arena _promptArena;
    private readonly Arena _work;
    private readonly Tape _tape;
    private Tensor _contexts;
    private Tensor _pooled;
    private int[] _rows = [];
    private float[] _micro = [];

    /// <summary>A view of <paramref name="model"/>, which stays the caller's, for pictures of height x width codes.</summary>
    public TextToImageMaskedModel(TextToImageModel model, int height, int width, int pixelsPerCode)
    {
        _model = model;
        _height = height;
        _width = width;
        _pixelsPerCode = pixelsPerCode;
        _promptArena = model.Backend.CreateArena("prompts", 1 << 16);
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

    /// <summary>Rows and columns of the feature grid.</summary>
    public (int Height, int Width) FeatureGrid => _model.Transformer.Config.Downsample ? (_height / 2, _width / 2) : (_height, _width);

    /// <summary>Rows of the code grid.</summary>
    public int Height => _height;

    /// <summary>Columns of the code grid.</summary>
    public int Width => _width;

    /// <summary>Prompts held, the empty one included.</summary>
    public int PromptCount { get; private set; }

    /// <summary>Encodes P prompts of L ids each; the first must be the empty prompt. Replaces those held before.</summary>
    public void SetPrompts(ReadOnlySpan<int> ids)
    {
        int length = _model.TextEncoder.Config.MaxPositionEmbeddings;
        PromptCount = ids.Length / length;
        _promptArena.Release(default);
        int joint = _model.Transformer.Config.JointAttentionDim;
        _contexts = _promptArena.Allocate(new Shape(PromptCount, length * joint));
        _pooled = _promptArena.Allocate(new Shape(PromptCount, _model.Transformer.Config.PooledProjectionDim));
        ArenaMark mark = _work.Mark();
        _tape.Begin(recording: false);
        Var context = _model.TextEncoder.Forward(_tape, ids, out Var pooled);
        Backend.Copy(_tape.Value(context).Reshape(_contexts.Shape), _contexts);
        Backend.Copy(_tape.Value(pooled), _pooled);
        _work.Release(mark);
    }

    /// <summary>Uses the encoded prompts of another view in the same address space, which must keep them: for a reference model with the same text encoder.</summary>
    public void SharePrompts(TextToImageMaskedModel source) => (PromptCount, _contexts, _pooled) = (source.PromptCount, source._contexts, source._pooled);

    /// <inheritdoc/>
    public void Predict(in MaskedBatch batch, Tensor logits, Tensor features)
    {
        ArenaMark mark = _work.Mark();
        _tape.Begin(recording: false);
        int rows = batch.Rows.IsNone ? 0 : (int)batch.Rows.Shape.Count;
        if (_rows.Length < rows)
        {
            _rows = new int[batch.Prompts.Length * Codes];
        }

        if (rows > 0)
        {
            Backend.Download(batch.Rows, _rows.AsSpan(0, rows));
        }

        TransformerInput input = Input(_tape, batch.Canvas, batch.Prompts, batch.MaskedFractions);
        input.Rows = _rows.AsSpan(0, rows);
        input.SkipHead = rows == 0;
        Var result = _model.Transformer.Forward(_tape, in input, out Var last);
        if (rows > 0)
        {
            Backend.Copy(_tape.Value(result), logits);
        }

        if (!features.IsNone)
        {
            Tensor z = _tape.Value(last);
            int n = FeatureShape[0];
            Backend.CopyTokens(z, z.Shape[1] - n, features, 0, n);
        }

        _work.Release(mark);
    }

    /// <summary>
    /// The input of a forward pass on <paramref name="tape"/> for B canvases, each with its prompt and masked fraction: used by
    /// <see cref="Predict"/> and by training, so that both see the same bits. Text states are constants.
    /// </summary>
    public TransformerInput Input(Tape tape, Tensor canvas, ReadOnlySpan<int> prompts, ReadOnlySpan<float> maskedFractions)
    {
        int images = prompts.Length;
        int length = _model.TextEncoder.Config.MaxPositionEmbeddings;
        int joint = _model.Transformer.Config.JointAttentionDim;
        int micro = images * MeissonicTransformer.MicroConditionCount;
        if (_micro.Length < micro)
        {
            _micro = new float[micro];
            MicroConditions.Fill(_micro, _height * _pixelsPerCode, _width * _pixelsPerCode);
        }

        Arena arena = tape.Activations;
        Tensor indices = arena.Allocate(new Shape(images), ElementType.Int32);
        Backend.Upload(prompts, indices);
        Tensor context = arena.Allocate(new Shape(images, length * joint));
        Tensor pooled = arena.Allocate(new Shape(images, _pooled.Columns));
        Backend.GatherRows(_contexts, indices, context);
        Backend.GatherRows(_pooled, indices, pooled);
        Tensor time = arena.Allocate(new Shape(images));
        Backend.Upload(maskedFractions, time);
        Tensor conditions = arena.Allocate(new Shape(images, MeissonicTransformer.MicroConditionCount));
        Backend.Upload<float>(_micro.AsSpan(0, micro), conditions);
        return new TransformerInput
        {
            Codes = canvas,
            Height = _height,
            Width = _width,
            Context = tape.Constant(context.Reshape(new Shape(images, length, joint))),
            Pooled = tape.Constant(pooled),
            Time = time,
            MicroConditions = conditions,
        };
    }

    /// <summary>Frees prompts and work memory; the model stays.</summary>
    public void Dispose()
    {
        _promptArena.Dispose();
        _work.Dispose();
    }
}
