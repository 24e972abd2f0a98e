using CoGrpo.Model.Schedule;
using CoGrpo.Rl.Configuration;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Training;

/// <summary>One lane's share of a schedule update: every (trajectory, step) of its images is a segment with one action.</summary>
internal sealed class SchedulePhaseLane
{
    private const int Actions = ScheduleAction.Count;

    private readonly TrainingLane _lane;
    private readonly LaneSetup _setup;
    private readonly int _size;
    private readonly ClippedObjective _onPolicy;
    private readonly ClippedObjective _stored;
    private readonly float[] _time;
    private readonly float[] _delta;
    private readonly double[] _means;
    private readonly float[] _gradient;
    private readonly double[] _advantages;
    private readonly double[] _weights;
    private readonly bool[] _lastStep;
    private readonly double[] _logRatios;
    private readonly double[] _ratios;
    private readonly double[] _surrogates;
    private readonly byte[] _clipped;
    private PhaseMetrics _metrics;

    public SchedulePhaseLane(TrainingLane lane, SchedulePhaseConfiguration configuration, LaneSetup setup, int size)
    {
        _lane = lane;
        _setup = setup;
        _size = size;
        var settings = new ObjectiveSettings
        {
            Clip = configuration.ClipEpsilon,
            ClipHigh = configuration.ClipEpsilonHigh,
            RatioCap = configuration.TwoSidedCap,
            OnPolicy = true,
        };
        _onPolicy = new ClippedObjective(settings);
        _stored = new ClippedObjective(settings with { OnPolicy = false });
        _time = new float[size];
        _delta = new float[size * Actions];
        _means = new double[size * Actions];
        _gradient = new float[size * Actions];
        _advantages = new double[size];
        _weights = new double[size];
        _weights.AsSpan().Fill(1);
        _lastStep = new bool[size];
        _logRatios = new double[size];
        _ratios = new double[size];
        _surrogates = new double[size];
        _clipped = new byte[size];
    }

    /// <summary>Sums of the last <see cref="Run"/>.</summary>
    public ref readonly PhaseMetrics Metrics => ref _metrics;

    /// <summary>Computes the gradients of images [first, first + count).</summary>
    public void Run(Trajectories trajectories, int first, int count, bool onPolicy, double normalizer, double deltaPenalty)
    {
        _metrics = new PhaseMetrics { Objective = ObjectiveStatistics.Empty };
        ParameterStore store = _lane.Policy.Parameters;
        store.EnableGradients();
        store.ZeroGradients();
        int end = (first + count) * trajectories.Steps;
        for (int at = first * trajectories.Steps; at < end; at += _size)
        {
            RunBatch(trajectories, at, Math.Min(_size, end - at), onPolicy, normalizer, deltaPenalty);
        }
    }

    /// <summary>Segments [at, at + size) of all B*T, in the order of <see cref="Trajectories.Features"/>.</summary>
    private void RunBatch(Trajectories trajectories, int at, int size, bool onPolicy, double normalizer, double deltaPenalty)
    {
        IBackend backend = _lane.Backend;
        int steps = trajectories.Steps;
        for (int i = 0; i < size; i++)
        {
            int step = (at + i) % steps;
            _time[i] = (float)LearnedSchedule.RemappedStep(step, steps, _setup.TrainedSteps);
            _advantages[i] = trajectories.Advantages[(at + i) / steps];
            _lastStep[i] = step == steps - 1;
        }

        ArenaMark inputs = _lane.Inputs.Mark();
        ArenaMark activations = _lane.Activations.Mark();
        ArenaMark gradients = _lane.Gradients.Mark();
        Shape feature = trajectories.FeatureShape;
        int side = _setup.Policy.Config.PooledGrid;
        Tensor features = trajectories.Features.RowRange(at, size).Reshape(new Shape(size, feature[0], feature[1]));
        _lane.Tape.Begin(recording: true, ElementType.Float32);
        Var delta = _lane.Policy.Forward(
            _lane.Tape,
            features,
            side,
            side,
            _lane.Upload<float>(new Shape(size), _time.AsSpan(0, size), ElementType.Float32)
        );
        backend.Download(_lane.Tape.Value(delta), _delta.AsSpan(0, size * Actions));
        for (int i = 0; i < size * Actions; i++)
        {
            _means[i] = _setup.TrainedActions[i % Actions] ? _delta[i] : 0;
        }

        var actions = new ActionInput
        {
            RawActions = trajectories.RawActions.AsSpan(at * Actions, size * Actions),
            Means = _means.AsSpan(0, size * Actions),
            OldMeans = trajectories.Means.AsSpan(at * Actions, size * Actions),
            Sigma = _setup.Parametrization.Sigma,
            LastStep = _lastStep.AsSpan(0, size),
        };
        var segments = new SegmentInput { Advantages = _advantages.AsSpan(0, size), Weights = _weights.AsSpan(0, size), Normalizer = normalizer };
        var output = new SegmentOutput
        {
            LogRatios = _logRatios.AsSpan(0, size),
            Ratios = _ratios.AsSpan(0, size),
            Surrogates = _surrogates.AsSpan(0, size),
            Clipped = _clipped.AsSpan(0, size),
        };
        Span<float> gradient = _gradient.AsSpan(0, size * Actions);
        _metrics.Objective.Add((onPolicy ? _onPolicy : _stored).Actions(actions, segments, output, gradient));
        for (int i = 0; i < gradient.Length; i++)
        {
            gradient[i] = _setup.TrainedActions[i % Actions] ? gradient[i] + (float)(2 * deltaPenalty * _means[i] / normalizer) : 0;
        }

        _lane.Tape.Seed(delta, _lane.Upload<float>(new Shape(size, Actions), gradient, ElementType.Float32));
        _lane.Tape.Backward();
        _lane.Inputs.Release(inputs);
        _lane.Activations.Release(activations);
        _lane.Gradients.Release(gradients);
    }
}
