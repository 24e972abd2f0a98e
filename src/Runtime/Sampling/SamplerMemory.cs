using CoGrpo.Runtime.Backends;

namespace CoGrpo.Runtime.Sampling;

/// <summary>
/// Device memory of the sampling loop, for its largest micro-batch. What only some loops need is taken at its first use; nothing moves afterwards.
/// </summary>
internal sealed class SamplerMemory : IDisposable
{
    private readonly Arena _arena;
    private readonly IMaskedModel _model;
    private readonly int _images;
    private readonly int _rows;
    private Tensor _unconditional;
    private Tensor _features;
    private Tensor _distinctFeatures;
    private Tensor _conditionalAt;
    private Tensor _unconditionalAt;
    private int _steps;

    public SamplerMemory(IMaskedModel model, int images)
    {
        _model = model;
        _images = images;
        _rows = checked(images * model.Codes);
        _arena = model.Backend.CreateArena("sampler", 1 << 20);
        Keys = _arena.Allocate(new Shape(2), ElementType.Int64);
        Canvas = Positions(ElementType.Int32);
        Candidates = Positions(ElementType.Int32);
        Confidence = Positions(ElementType.Float32);
        LogProb = Positions(ElementType.Float32);
        DecodedStep = Positions(ElementType.Int32);
        DecodedLogProb = Positions(ElementType.Float32);
        Rows = Positions(ElementType.Int32);
        RowCount = _arena.Allocate(new Shape(1), ElementType.Int32);
        Prompts = _arena.Allocate(new Shape(images), ElementType.Int32);
        EmptyPrompts = _arena.Allocate(new Shape(images), ElementType.Int32);
        DistinctPrompts = _arena.Allocate(new Shape(images), ElementType.Int32);
        DistinctOf = _arena.Allocate(new Shape(images), ElementType.Int32);
        Trajectories = _arena.Allocate(new Shape(images), ElementType.Int32);
        Fractions = _arena.Allocate(new Shape(images));
        StartShare = _arena.Allocate(new Shape(images), ElementType.Float64);
        Conditional = Output();
        model.Backend.Upload<int>(new int[images], EmptyPrompts);
    }

    public Tensor Keys { get; }

    public Tensor Canvas { get; }

    public Tensor Candidates { get; }

    public Tensor Confidence { get; }

    public Tensor LogProb { get; }

    public Tensor DecodedStep { get; }

    public Tensor DecodedLogProb { get; }

    public Tensor Rows { get; }

    public Tensor RowCount { get; }

    public Tensor Prompts { get; }

    public Tensor EmptyPrompts { get; }

    public Tensor DistinctPrompts { get; }

    public Tensor DistinctOf { get; }

    public Tensor Trajectories { get; }

    public Tensor Fractions { get; }

    public Tensor StartShare { get; }

    public Tensor Conditional { get; }

    /// <summary>Float64 [T,B,4]; likewise the next two.</summary>
    public Tensor Actions { get; private set; }

    public Tensor RawActions { get; private set; }

    public Tensor Means { get; private set; }

    /// <summary>Int32 [T,B].</summary>
    public Tensor Masked { get; private set; }

    public Tensor Unconditional => _unconditional.IsNone ? _unconditional = Output() : _unconditional;

    public Tensor Features => _features.IsNone ? _features = FeatureRows() : _features;

    /// <summary>Features of distinct prompts at a shared first step, before they are spread over the images.</summary>
    public Tensor DistinctFeatures => _distinctFeatures.IsNone ? _distinctFeatures = FeatureRows() : _distinctFeatures;

    /// <summary>Int32 [B*N]: where the logits of a position stand at a shared first step.</summary>
    public Tensor ConditionalAt => _conditionalAt.IsNone ? _conditionalAt = Positions(ElementType.Int32) : _conditionalAt;

    public Tensor UnconditionalAt => _unconditionalAt.IsNone ? _unconditionalAt = Positions(ElementType.Int32) : _unconditionalAt;

    public long ReservedBytes => _arena.ReservedBytes;

    /// <summary>Makes room for <paramref name="steps"/> steps; true when that moved what is there per step.</summary>
    public bool Reserve(int steps)
    {
        if (steps <= _steps)
        {
            return false;
        }

        _steps = steps;
        Actions = _arena.Allocate(new Shape(steps * _images, ScheduleAction.Count), ElementType.Float64);
        RawActions = _arena.Allocate(Actions.Shape, ElementType.Float64);
        Means = _arena.Allocate(Actions.Shape, ElementType.Float64);
        Masked = _arena.Allocate(new Shape(steps * _images), ElementType.Int32);
        return true;
    }

    public void Dispose() => _arena.Dispose();

    private Tensor Positions(ElementType type) => _arena.Allocate(new Shape(_rows), type);

    private Tensor Output() => _model.Head.IsNone
        ? _arena.Allocate(new Shape(_rows, _model.Vocabulary))
        : _arena.Allocate(new Shape(_rows, _model.Head.Columns), _model.Storage);

    private Tensor FeatureRows()
    {
        Shape one = _model.FeatureShape;
        return _arena.Allocate(new Shape(_images, checked((int)one.Count)), _model.Storage);
    }
}
