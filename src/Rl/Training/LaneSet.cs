using CoGrpo.Model.TextToImage;
using CoGrpo.Rl.Parallel;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Training;

/// <summary>
/// The lanes of a run: sampling, and gradients summed over lanes in lane order. Images are given to lanes in contiguous ranges of whole
/// groups; sampled pictures do not depend on the number of lanes, summed gradients do (in rounding), so it is part of a run's configuration.
/// </summary>
public sealed class LaneSet : IDisposable
{
    private readonly LaneSetup _setup;
    private readonly LaneTeam _team;
    private readonly TrainingLane[] _lanes;
    private readonly Action<int> _sampleLane;
    private Trajectories? _target;
    private ISchedule? _fixedSchedule;
    private ulong _seed;
    private long _firstTrajectory;
    private int _group;
    private bool _commonNoise;
    private Action<int, ReadOnlySpan<int>>? _sampled;

    /// <summary>
    /// Lanes over <paramref name="setup"/>, whose networks stay the caller's. <paramref name="laneBackend"/> makes the backend of each lane, owned by
    /// this set unless it is the model's own.
    /// </summary>
    public LaneSet(LaneSetup setup, int lanes, Func<IBackend> laneBackend)
    {
        _setup = setup;
        _team = new LaneTeam(lanes);
        _lanes = new TrainingLane[lanes];
        for (int i = 0; i < lanes; i++)
        {
            _lanes[i] = new TrainingLane(laneBackend(), setup);
        }

        _sampleLane = SampleLane;
    }

    /// <summary>What the lanes replicate.</summary>
    public LaneSetup Setup => _setup;

    /// <summary>Number of lanes.</summary>
    public int Count => _lanes.Length;

    /// <summary>N.</summary>
    public int Codes => _setup.Height * _setup.Width;

    /// <summary>Bytes reserved by the work memory of all lanes.</summary>
    public long ReservedBytes
    {
        get
        {
            long sum = 0;
            foreach (TrainingLane lane in _lanes)
            {
                sum += lane.ReservedBytes;
            }

            return sum;
        }
    }

    /// <summary>Actions of the last rollout that hit an environment clamp.</summary>
    public long ClampHits
    {
        get
        {
            long sum = 0;
            foreach (TrainingLane lane in _lanes)
            {
                sum += lane.Schedule.ClampHits;
            }

            return sum;
        }
    }

    internal ReadOnlySpan<TrainingLane> Lanes => _lanes;

    /// <summary>Images that a lane samples at most, or null for all: a plan has the first ones stand for the rest.</summary>
    internal int? SampledImages { get; set; }

    /// <summary>Encodes prompts in every lane: rows of L ids, the empty prompt first.</summary>
    public void SetPrompts(ReadOnlySpan<int> ids)
    {
        foreach (TrainingLane lane in _lanes)
        {
            lane.Masked.SetPrompts(ids);
        }
    }

    /// <summary>
    /// Samples <paramref name="target"/>.Images trajectories of the prompts already written to <paramref name="target"/>.Prompts.
    /// </summary>
    /// <param name="target">Receives everything; features are recorded if it has room for them.</param>
    /// <param name="schedule">Null for the learned schedule of each lane, else this one for all lanes; it must hold no state.</param>
    /// <param name="exploration">Seed of the exploration noise, or null for mean actions.</param>
    /// <param name="seed">Seed of the token and re-mask noise.</param>
    /// <param name="firstTrajectory">Global number of trajectory 0.</param>
    /// <param name="group">G: images that share a prompt stand together.</param>
    /// <param name="commonNoise">Whether image i of every group draws the noise of image 0 of its group.</param>
    /// <param name="sampled">Null, or called by the lanes, several at once, with the first image and the final codes [b,N] of every micro-batch that
    /// is done while others are still sampled.</param>
    public void Sample(
        Trajectories target,
        ISchedule? schedule,
        ulong? exploration,
        ulong seed,
        long firstTrajectory,
        int group,
        bool commonNoise = false,
        Action<int, ReadOnlySpan<int>>? sampled = null
    )
    {
        (_target, _fixedSchedule, _seed, _firstTrajectory, _group, _commonNoise, _sampled) = (
            target,
            schedule,
            seed,
            firstTrajectory,
            group,
            commonNoise,
            sampled
        );
        foreach (TrainingLane lane in _lanes)
        {
            lane.Schedule.ExplorationSeed = exploration;
            lane.Schedule.ResetClampHits();
        }

        _team.Run(_sampleLane);
    }

    /// <summary>The range of images of a lane, in whole groups.</summary>
    internal (int First, int Count) Range(int lane, int images, int group)
    {
        int groups = (images + group - 1) / group;
        int first = Math.Min(images, (int)((long)groups * lane / _lanes.Length) * group);
        int end = Math.Min(images, (int)((long)groups * (lane + 1) / _lanes.Length) * group);
        return (first, end - first);
    }

    /// <summary>Runs <paramref name="body"/> on every lane at once.</summary>
    internal void Run(Action<int> body) => _team.Run(body);

    /// <summary>
    /// Adds the gradients of every lane's replica to <paramref name="total"/> in lane order; those of a lane without a replica are there already.
    /// </summary>
    internal void SumGradients(Func<TrainingLane, ParameterStore> replica, ParameterStore total, IBackend backend)
    {
        foreach (TrainingLane lane in _lanes)
        {
            ParameterStore own = replica(lane);
            if (!ReferenceEquals(own, total))
            {
                backend.Add(own.Gradients, default, total.Gradients, accumulate: true);
            }
        }
    }

    /// <summary>Frees lanes and their backends.</summary>
    public void Dispose()
    {
        _team.Dispose();
        foreach (TrainingLane lane in _lanes)
        {
            lane.Dispose();
        }
    }

    /// <summary>Tells of micro-batches of a call whose first image is <paramref name="first"/>.</summary>
    private static Action<int, int> Stored(Action<int, ReadOnlySpan<int>> sampled, SampleRecord record, int first) =>
        (image, images) => sampled(image, record.Tokens.AsSpan((image - first) * record.Codes, images * record.Codes));

    private void SampleLane(int number)
    {
        TrainingLane lane = _lanes[number];
        Trajectories target = _target!;
        (int first, int count) = Range(number, target.Images, _group);
        count = Math.Min(count, SampledImages ?? count);
        if (count == 0)
        {
            return;
        }

        SampleRecord record = lane.Record(count, target.Codes, target.Steps);
        lane.Recorder.Target = target;
        lane.Recorder.FirstImage = first;
        lane.Recorder.Stored = _sampled is null ? null : Stored(_sampled, record, first);
        lane.Schedule.FirstExploration = _firstTrajectory + first;
        Span<int> trajectories = lane.TrajectoryNumbers(count);
        for (int i = 0; i < count; i++)
        {
            int image = first + i;
            trajectories[i] = unchecked((int)(_firstTrajectory + (_commonNoise ? image / _group * _group : image)));
        }

        var request = new SampleRequest
        {
            Steps = target.Steps,
            Prompts = target.Prompts.AsSpan(first, count),
            Seed = _seed,
            Trajectories = trajectories,
        };
        lane.Sampler.Sample(request, _fixedSchedule ?? lane.Schedule, record, lane.Recorder);
        target.Store(record, first);
    }
}
