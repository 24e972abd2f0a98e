using CoGrpo.Model;
using CoGrpo.Model.Lora;
using CoGrpo.Model.Schedule;
using CoGrpo.Model.TextToImage;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Serving;

/// <summary>A model folder in the published layout with its schedules, loaded and ready to draw at one size. Driven by one thread.</summary>
internal sealed class PictureSession : IDisposable
{
    private readonly ComputeDevice _device;
    private readonly SchedulePolicyFolder? _policy;

    private PictureSession(RunConfiguration configuration, ComputeDevice device, string checkpoint, PictureSessionOptions options)
    {
        _device = device;
        Checkpoint = checkpoint;

        // One picture of full size fills all cores; more would only take memory.
        Together = Math.Min(options.Pictures, configuration.Device == DeviceName.Cpu ? 1 : configuration.Sampling.MicroBatch);
        Backend = device.LaneBackend(configuration.Threads > 0 ? configuration.Threads : Environment.ProcessorCount);
        try
        {
            Pipeline = TextToImagePipeline.Load(checkpoint, Backend, new PipelineOptions
            {
                Width = options.Width,
                Height = options.Height,
                MicroBatch = Together,
                Time = RunFactory.Time(configuration.Model),
                CountRule = options.ReferenceCounts ? CountRule.Single : CountRule.Double,
            });
            if (options.Lora is { } lora)
            {
                LoraFile.Load(lora.Path, Pipeline.Model.Transformer, Backend, lora.Scale);
            }

            HandMade = Fixed(configuration.Sampling.HandMade, options.ReferenceCounts);
            if (options.Schedule is { } schedule)
            {
                _policy = SchedulePolicyFolder.Load(schedule, Backend);
                Learned = Adaptive(_policy, schedule);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The model's folder.</summary>
    public string Checkpoint { get; }

    /// <summary>From prompt to pixels.</summary>
    public TextToImagePipeline Pipeline { get; }

    /// <summary>Where the networks are; freed with the session.</summary>
    public IBackend Backend { get; }

    /// <summary>Most pictures that go through the steps at once.</summary>
    public int Together { get; }

    /// <summary>The configuration's schedule.</summary>
    public HandMadeSchedule HandMade { get; }

    /// <summary>The learned schedule, or null without one.</summary>
    public LearnedSchedule? Learned { get; }

    /// <summary>The schedule asked for.</summary>
    public ISchedule Schedule => Learned ?? (ISchedule)HandMade;

    /// <summary>Loads <c>model.checkpoint</c> of <paramref name="configuration"/>. The device must outlive the session.</summary>
    /// <exception cref="ModelException">Model, schedule, adapters and size do not fit together, or a part is missing.</exception>
    /// <exception cref="Runtime.Files.WeightsFileException">A weight file is damaged.</exception>
    public static PictureSession Open(RunConfiguration configuration, ComputeDevice device, PictureSessionOptions options)
    {
        string checkpoint = CheckpointOf(configuration);
        int side = PublishedSide(checkpoint);
        (int width, int height) = (
            options.Width > 0 ? options.Width : configuration.Sampling.Width,
            options.Height > 0 ? options.Height : configuration.Sampling.Height
        );
        return new PictureSession(
            configuration,
            device,
            checkpoint,
            options with
            {
                Width = width > 0 ? width : side,
                Height = height > 0 ? height : side,
            }
        );
    }

    /// <summary>The configured model folder.</summary>
    /// <exception cref="ModelException">None is configured.</exception>
    public static string CheckpointOf(RunConfiguration configuration) => configuration.Model.Checkpoint
        ?? throw new ModelException("model.checkpoint: wanted a model folder in the published layout, none is configured; give --checkpoint FOLDER");

    /// <summary>Side in pixels of the pictures that a model's architecture was published for.</summary>
    /// <exception cref="ModelException">Its configuration is missing or malformed.</exception>
    public static int PublishedSide(string checkpoint) => TextToImageModel.ReadArchitecture(checkpoint).Transformer.Downsample ? 1024 : 512;

    /// <summary>Frees the networks.</summary>
    public void Dispose()
    {
        Learned?.Dispose();
        _policy?.Dispose();
        Pipeline?.Dispose();
        if (!ReferenceEquals(Backend, _device.Backend))
        {
            Backend.Dispose();
        }
    }

    private static HandMadeSchedule Fixed(HandMadeConfiguration settings, bool referenceCounts)
    {
        try
        {
            return new HandMadeSchedule(RunFactory.HandMade(settings) with { SinglePrecision = referenceCounts });
        }
        catch (ArgumentException error)
        {
            throw new ModelException(error.Message);
        }
    }

    private LearnedSchedule Adaptive(SchedulePolicyFolder folder, string schedule)
    {
        int width = Pipeline.Model.Transformer.Config.Width;
        return folder.Policy.Config.FeatureDim == width
            ? new LearnedSchedule(
                folder.Policy,
                folder.Parametrization,
                folder.Settings.TrainedSteps,
                Pipeline.FeatureGrid,
                folder.Settings.TrainedActions
            )
            : throw new ModelException(
                $"{schedule}: wanted a schedule policy for a model of width {width}, got {folder.Policy.Config.FeatureDim}; name the checkpoint of the model that the schedule was trained with"
            );
    }
}
