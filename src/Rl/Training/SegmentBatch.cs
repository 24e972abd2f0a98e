using CoGrpo.Model.Meissonic;

namespace CoGrpo.Rl.Training;

/// <summary>
/// Host side of a micro-batch of segments (trajectory, step): rebuilt canvases, decoded rows and what the objective reads. Reused, so filling it
/// allocates nothing.
/// </summary>
internal sealed class SegmentBatch
{
    private readonly int _codes;
    private readonly int _maskToken;
    private readonly TimeInput _time;
    private readonly int[] _canvas;
    private readonly int[] _prompts;
    private readonly int[] _emptyPrompts;
    private readonly float[] _times;
    private readonly int[] _steps;
    private readonly double[] _advantages;
    private readonly double[] _weights;
    private readonly int[] _rows;
    private readonly int[] _rowSegments;
    private readonly int[] _starts;
    private readonly int[] _tokens;
    private readonly float[] _guidance;
    private readonly float[] _temperature;
    private readonly float[] _logProb;
    private readonly float[] _oldLogProb;
    private readonly float[] _referenceLogProb;
    private readonly float[] _entropy;
    private readonly float[] _upstream;
    private readonly double[] _logRatios;
    private readonly double[] _ratios;
    private readonly double[] _surrogates;
    private readonly byte[] _clipped;

    public SegmentBatch(int capacity, int codes, int maskToken, TimeInput time)
    {
        _codes = codes;
        _maskToken = maskToken;
        _time = time;
        int rows = capacity * codes;
        _canvas = new int[rows];
        _prompts = new int[capacity];
        _emptyPrompts = new int[capacity];
        _times = new float[capacity];
        _steps = new int[capacity];
        _advantages = new double[capacity];
        _weights = new double[capacity];
        _rows = new int[rows];
        _rowSegments = new int[rows];
        _starts = new int[capacity + 1];
        _tokens = new int[rows];
        _guidance = new float[rows];
        _temperature = new float[rows];
        _logProb = new float[rows];
        _oldLogProb = new float[rows];
        _referenceLogProb = new float[rows];
        _entropy = new float[rows];
        _upstream = new float[rows];
        _logRatios = new double[capacity];
        _ratios = new double[capacity];
        _surrogates = new double[capacity];
        _clipped = new byte[capacity];
    }

    public int Count { get; private set; }

    public int RowCount { get; private set; }

    /// <summary>Whether any row has s other than 1.</summary>
    public bool IsGuided { get; private set; }

    public bool IsFull => Count == _prompts.Length;

    public ReadOnlySpan<int> Canvas => _canvas.AsSpan(0, Count * _codes);

    public ReadOnlySpan<int> Prompts => _prompts.AsSpan(0, Count);

    public ReadOnlySpan<int> EmptyPrompts => _emptyPrompts.AsSpan(0, Count);

    public ReadOnlySpan<float> Times => _times.AsSpan(0, Count);

    public ReadOnlySpan<double> Advantages => _advantages.AsSpan(0, Count);

    public ReadOnlySpan<double> Weights => _weights.AsSpan(0, Count);

    public ReadOnlySpan<int> Rows => _rows.AsSpan(0, RowCount);

    public ReadOnlySpan<int> RowSegments => _rowSegments.AsSpan(0, RowCount);

    /// <summary>[S+1]: rows of segment s are [starts[s], starts[s+1]).</summary>
    public ReadOnlySpan<int> SegmentStarts => _starts.AsSpan(0, Count + 1);

    public ReadOnlySpan<int> Tokens => _tokens.AsSpan(0, RowCount);

    public ReadOnlySpan<float> Guidance => _guidance.AsSpan(0, RowCount);

    public ReadOnlySpan<float> Temperature => _temperature.AsSpan(0, RowCount);

    public Span<float> LogProb => _logProb.AsSpan(0, RowCount);

    public ReadOnlySpan<float> OldLogProb => _oldLogProb.AsSpan(0, RowCount);

    public Span<float> ReferenceLogProb => _referenceLogProb.AsSpan(0, RowCount);

    public Span<float> Entropy => _entropy.AsSpan(0, RowCount);

    public Span<float> Upstream => _upstream.AsSpan(0, RowCount);

    public SegmentOutput Output => new()
    {
        LogRatios = _logRatios.AsSpan(0, Count),
        Ratios = _ratios.AsSpan(0, Count),
        Surrogates = _surrogates.AsSpan(0, Count),
        Clipped = _clipped.AsSpan(0, Count),
    };

    public int StepOf(int segment) => _steps[segment];

    public void Clear() => (Count, RowCount, IsGuided) = (0, 0, false);

    /// <summary>Adds a segment; an empty one takes part in the loss but has no rows.</summary>
    public void Add(Trajectories trajectories, int image, int step, double weight)
    {
        int segment = Count++;
        int masked = trajectories.Canvas(image, step, _maskToken, _canvas.AsSpan(segment * _codes, _codes));
        _prompts[segment] = trajectories.Prompts[image];
        _times[segment] = _time == TimeInput.StepCounter ? trajectories.Steps - 1 - step : masked / (float)_codes;
        _steps[segment] = step;
        _advantages[segment] = trajectories.Advantages[image];
        _weights[segment] = weight;
        Runtime.Sampling.ScheduleAction action = trajectories.Actions[(image * trajectories.Steps) + step];
        int at = image * _codes;
        for (int i = 0; i < _codes; i++)
        {
            if (trajectories.DecodedStep[at + i] != step)
            {
                continue;
            }

            _rows[RowCount] = (segment * _codes) + i;
            _rowSegments[RowCount] = segment;
            _tokens[RowCount] = trajectories.Tokens[at + i];
            _guidance[RowCount] = (float)action.Guidance;
            _temperature[RowCount] = (float)action.SamplingTemperature;
            _oldLogProb[RowCount] = trajectories.LogProb[at + i];
            IsGuided |= action.IsGuided;
            RowCount++;
        }

        _starts[Count] = RowCount;
    }
}
