using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Randomness;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Model.Schedule;

/// <summary>
/// The schedule policy as a schedule: raw action a = δ(features, t̃) + σ ε (or the mean alone), used action by the links of a
/// <see cref="ScheduleParametrization"/>, all of it on the device. Actions that are not trained keep a = 0, the hand-made value. Moved to
/// another number of steps it runs with remapped time (specs/schedule-policy.md 9, mode A).
/// </summary>
public sealed class LearnedSchedule : ISchedule, IDisposable
{
    private const int Actions = ScheduleAction.Count;
    private const int StateSize = 5;

    private readonly SchedulePolicy _policy;
    private readonly IBackend _backend;
    private readonly ScheduleParametrization _parametrization;
    private readonly int _trainedSteps;
    private readonly (int Height, int Width) _grid;
    private readonly bool[] _trained;
    private readonly int _trainedBits;
    private readonly Arena _inputs;
    private readonly Arena _work;
    private readonly Tape _tape;
    private double[] _noise = [];
    private float[] _time = [];
    private double[] _state = [];
    private int[] _hits = [];
    private Tensor _exploration;
    private Tensor _times;
    private Tensor _states;
    private Tensor _clampHits;
    private int _room;

    /// <param name="policy">The network; stays the caller's.</param>
    /// <param name="parametrization">Links, residuals, σ and clamps.</param>
    /// <param name="trainedSteps">T the policy is or was trained at.</param>
    /// <param name="grid">Rows and columns of the feature grid.</param>
    /// <param name="trained">Which of r, τ_s, τ_r, s the policy controls.</param>
    public LearnedSchedule(
        SchedulePolicy policy,
        ScheduleParametrization parametrization,
        int trainedSteps,
        (int Height, int Width) grid,
        IReadOnlyList<bool> trained
    )
    {
        _policy = policy;
        _backend = policy.Backend;
        _parametrization = parametrization;
        _trainedSteps = trainedSteps;
        _grid = grid;
        _trained = [.. trained];
        for (int k = 0; k < Actions; k++)
        {
            _trainedBits |= _trained[k] ? 1 << k : 0;
        }

        _inputs = _backend.CreateArena("schedule inputs", 1 << 16);
        _work = _backend.CreateArena("schedule", 1 << 20);
        _tape = new Tape(_backend, _work, _work);
    }

    /// <inheritdoc/>
    public bool NeedsFeatures => true;

    /// <inheritdoc/>
    public int RecordingVersion { get; private set; }

    /// <summary>Seed of the exploration noise, or null for mean actions.</summary>
    public ulong? ExplorationSeed { get; set; }

    /// <summary>First exploration address of the call: image i of a call explores with number this + i.</summary>
    public long FirstExploration { get; set; }

    /// <summary>Actions that hit an environment clamp since <see cref="ResetClampHits"/>. Waits for the device.</summary>
    public long ClampHits
    {
        get
        {
            if (_clampHits.IsNone)
            {
                return 0;
            }

            _backend.Download<int>(_clampHits, _hits);
            long sum = 0;
            foreach (int hits in _hits)
            {
                sum += hits;
            }

            return sum;
        }
    }

    /// <summary>t̃ = clamp(T_train (t+1)/T - 1, 0, T_train - 1): the trained step with the same u = (t+1)/T.</summary>
    public static double RemappedStep(int step, int steps, int trainedSteps) =>
        Math.Clamp(((double)trainedSteps * (step + 1) / steps) - 1, 0, trainedSteps - 1);

    /// <inheritdoc/>
    public bool Guides(int step, int steps) => _trained[3] || (float)_parametrization.Settings.HandMade.Guidance != 1f;

    /// <summary>Starts counting clamp hits from zero.</summary>
    public void ResetClampHits()
    {
        if (!_clampHits.IsNone)
        {
            Array.Clear(_hits);
            _backend.Upload<int>(_hits, _clampHits);
        }
    }

    /// <inheritdoc/>
    public void Begin(in ScheduleCall call)
    {
        Reserve(call.Images, call.Steps);
        Span<float> times = _time.AsSpan(0, call.Steps * call.Images);
        Span<double> noise = _noise.AsSpan(0, times.Length * Actions);
        noise.Clear();
        for (int t = 0; t < call.Steps; t++)
        {
            times.Slice(t * call.Images, call.Images).Fill((float)RemappedStep(t, call.Steps, _trainedSteps));
            for (int b = 0; ExplorationSeed is { } seed && b < call.Images; b++)
            {
                var random = new RandomSequence(
                    seed,
                    RandomStream.ScheduleExploration,
                    ((ulong)(FirstExploration + call.FirstImage + b) << 16) | (uint)t
                );
                for (int k = 0; k < Actions; k++)
                {
                    noise[(((t * call.Images) + b) * Actions) + k] = _trained[k] ? _parametrization.Sigma[k] * random.NextNormal() : 0;
                }
            }
        }

        Span<double> states = _state.AsSpan(0, call.Images * StateSize);
        states.Clear();
        for (int b = 0; b < call.Images; b++)
        {
            states[b * StateSize] = ScheduleState.Start.Remask;
        }

        _backend.Upload<float>(times, Part(_times, 0, times.Length));
        _backend.Upload<double>(noise, Part(_exploration, 0, noise.Length));
        _backend.Upload<double>(states, Part(_states, 0, states.Length));
    }

    /// <inheritdoc/>
    public void Act(in ScheduleStep step)
    {
        int images = step.Actions.Rows;
        ArenaMark mark = _work.Mark();
        _tape.Begin(recording: false);

        // Pooled in the model's own element type, as a recorder keeps them: training sees the same numbers.
        int side = _policy.Config.PooledGrid;
        Tensor features = step.Features;
        if (_grid != (side, side))
        {
            Tensor pooled = _work.Allocate(new Shape(images, side, side, _policy.Config.FeatureDim), features.Type);
            _backend.AreaMean(features.Reshape(new Shape(images, _grid.Height, _grid.Width, _policy.Config.FeatureDim)), pooled);
            features = pooled.Reshape(new Shape(images, side * side, _policy.Config.FeatureDim));
        }

        Var delta = _policy.Forward(_tape, features, side, side, Part(_times, step.Step * images, images));
        _backend.ScheduleActions(
            _tape.Value(delta),
            Part(_exploration, step.Step * images * Actions, images * Actions),
            _trainedBits,
            _parametrization.Link(step.Step, step.Steps),
            Part(_states, 0, images * StateSize),
            step.Means,
            step.RawActions,
            step.Actions,
            Part(_clampHits, 0, images)
        );
        _work.Release(mark);
    }

    /// <summary>Frees the work memory; the policy stays.</summary>
    public void Dispose()
    {
        _inputs.Dispose();
        _work.Dispose();
    }

    /// <summary>Host and device memory for a micro-batch. Grows to the largest, which moves it.</summary>
    private void Reserve(int images, int steps)
    {
        int room = images * steps;
        if (room <= _room && images <= _hits.Length)
        {
            return;
        }

        room = Math.Max(room, _room);
        images = Math.Max(images, _hits.Length);
        long hits = ClampHits;
        _room = room;
        _time = new float[room];
        _noise = new double[room * Actions];
        _state = new double[images * StateSize];
        _hits = new int[images];
        _hits[0] = checked((int)hits);
        _times = _inputs.Allocate(new Shape(room));
        _exploration = _inputs.Allocate(new Shape(room * Actions), ElementType.Float64);
        _states = _inputs.Allocate(new Shape(images * StateSize), ElementType.Float64);
        _clampHits = _inputs.Allocate(new Shape(images), ElementType.Int32);
        _backend.Upload<int>(_hits, _clampHits);
        RecordingVersion++;
    }

    private static Tensor Part(Tensor whole, int first, int count) =>
        new(whole.Address + ((nint)first * whole.Type.Size()), new Shape(count), whole.Type);
}
