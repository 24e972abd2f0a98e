using CoGrpo.Model.Schedule;
using CoGrpo.Model.TextToImage;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Training;

/// <summary>
/// A replica of model and schedule policy, or the networks themselves, with everything it needs to sample and to compute gradients on its own.
/// </summary>
internal sealed class TrainingLane : IDisposable
{
    private readonly bool _ownsBackend;
    private SampleRecord? _record;
    private int[] _trajectories = [];

    /// <param name="backend">Owned from here on, unless it is the model's own.</param>
    /// <param name="setup">What to replicate.</param>
    public TrainingLane(IBackend backend, LaneSetup setup)
    {
        Backend = backend;
        _ownsBackend = !ReferenceEquals(backend, setup.Model.Backend);

        // On the networks' own backend a lane is alone and uses them as they are: no second gradients, no sum.
        Model = _ownsBackend ? setup.Model.Replica(backend) : setup.Model;
        Masked = new TextToImageMaskedModel(Model, setup.Height, setup.Width, setup.PixelsPerCode, setup.Time);
        Sampler = new MaskedSampler(Masked, new SamplerOptions { MicroBatch = setup.SampleMicroBatch });
        Policy = _ownsBackend ? new SchedulePolicy(setup.Policy.Config, backend, setup.Policy.Parameters) : setup.Policy;
        Schedule = new LearnedSchedule(Policy, setup.Parametrization, setup.TrainedSteps, Masked.FeatureGrid, setup.TrainedActions);
        Recorder = new FeatureRecorder(backend, Policy.Config, Masked.FeatureGrid);
        Inputs = backend.CreateArena("inputs", 1 << 20);
        Activations = backend.CreateArena("activations", 1 << 24);
        Gradients = backend.CreateArena("activation gradients", 1 << 24);
        Tape = new Tape(backend, Activations, Gradients);
    }

    public IBackend Backend { get; }

    public TextToImageModel Model { get; }

    public TextToImageMaskedModel Masked { get; }

    public MaskedSampler Sampler { get; }

    public SchedulePolicy Policy { get; }

    public LearnedSchedule Schedule { get; }

    public FeatureRecorder Recorder { get; }

    public Arena Inputs { get; }

    public Arena Activations { get; }

    public Arena Gradients { get; }

    public Tape Tape { get; }

    /// <summary>Bytes reserved by the work memory of the lane.</summary>
    public long ReservedBytes => Inputs.ReservedBytes + Activations.ReservedBytes + Gradients.ReservedBytes + Sampler.ReservedBytes;

    /// <summary>A record of the asked size, reused from call to call.</summary>
    public SampleRecord Record(int images, int codes, int steps)
    {
        if (_record is null || _record.Images != images || _record.Codes != codes || _record.Steps != steps)
        {
            _record = new SampleRecord(images, codes, steps);
        }

        return _record;
    }

    /// <summary>Room for one trajectory number per image, reused from call to call.</summary>
    public Span<int> TrajectoryNumbers(int images)
    {
        if (_trajectories.Length < images)
        {
            _trajectories = new int[images];
        }

        return _trajectories.AsSpan(0, images);
    }

    /// <summary>A device copy of host values that lives until <see cref="Inputs"/> is released.</summary>
    public Tensor Upload<T>(Shape shape, ReadOnlySpan<T> values, ElementType type)
        where T : unmanaged
    {
        Tensor tensor = Inputs.Allocate(shape, type);
        Backend.Upload(values, tensor);
        return tensor;
    }

    public void Dispose()
    {
        Recorder.Dispose();
        Schedule.Dispose();
        Sampler.Dispose();
        Masked.Dispose();
        Inputs.Dispose();
        Activations.Dispose();
        Gradients.Dispose();
        if (_ownsBackend)
        {
            Policy.Dispose();
            Model.Dispose();
            Backend.Dispose();
        }
    }
}
