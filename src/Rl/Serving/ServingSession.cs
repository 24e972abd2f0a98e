using CoGrpo.Model;
using CoGrpo.Model.Lora;
using CoGrpo.Model.Meissonic;
using CoGrpo.Model.Schedule;
using CoGrpo.Model.TextToImage;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.EmojiScenes;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Serving;

/// <summary>A loaded model, and a learned schedule if one is asked for, ready to sample on all cores. Driven by one thread.</summary>
public sealed class ServingSession : IDisposable
{
    private readonly TextToImageModel _model;
    private readonly SchedulePolicyFolder? _learned;
    private readonly SchedulePolicy _policy;

    private ServingSession(RunConfiguration configuration, ComputeDevice device, string checkpoint, string? schedule, LoraSource? lora)
    {
        Checkpoint = checkpoint;
        Layout = RunFactory.Layout(configuration.Data);
        HandMade = new HandMadeSchedule(RunFactory.HandMade(configuration.Sampling.HandMade));
        IBackend backend = device.Backend;
        try
        {
            _model = TextToImageModel.Load(checkpoint, backend);
            CheckModel(checkpoint);
            if (lora is not null)
            {
                LoraFile.Load(lora.Path, _model.Transformer, backend, lora.Scale);
            }

            _learned = schedule is null ? null : SchedulePolicyFolder.Load(schedule, backend);

            // Lanes always carry a policy; without a learned schedule the smallest possible one, which is never run.
            _policy = _learned?.Policy ?? new SchedulePolicy(new SchedulePolicyConfig(_model.Transformer.Config.Width, 2, 1, 1, 1, 1, 1), backend);
            CheckPolicy(schedule);
            var setup = new LaneSetup(
                _model,
                _policy,
                _learned?.Parametrization ?? new ScheduleParametrization(new ScheduleParametrizationSettings()),
                _learned?.Settings.TrainedSteps ?? 1,
                _learned?.Settings.TrainedActions ?? [false, false, false, false],
                Layout.Tokenizer.GridHeight,
                Layout.Tokenizer.GridWidth,
                SceneTiles.PatchSize,
                configuration.Sampling.MicroBatch,
                RunFactory.Time(configuration.Model)
            );
            Lanes = new LaneSet(
                setup,
                device.Lanes(configuration.Threads > 0 ? configuration.Threads : Environment.ProcessorCount),
                () => device.LaneBackend(1)
            );
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The model's folder.</summary>
    public string Checkpoint { get; }

    /// <summary>The grid of the pictures.</summary>
    public SceneLayout Layout { get; }

    /// <summary>The configuration's hand-made schedule.</summary>
    public HandMadeSchedule HandMade { get; }

    /// <summary>Settings of the learned schedule, or null without one.</summary>
    public SchedulePolicySettings? Learned => _learned?.Settings;

    /// <summary>The schedule asked for, as <see cref="LaneSet.Sample"/> wants it: null for the learned one of each lane.</summary>
    public ISchedule? Schedule => _learned is null ? HandMade : null;

    /// <summary>Samples in parallel; pictures do not depend on the number of lanes.</summary>
    public LaneSet Lanes { get; }

    /// <summary>
    /// Loads <c>model.checkpoint</c> of <paramref name="configuration"/>, or the shipped model without one, and the learned schedule at
    /// <paramref name="schedule"/> (its folder, or a checkpoint that contains it) unless null, and puts the adapters
    /// of <paramref name="lora"/> on the model. The device must outlive the session.
    /// </summary>
    /// <exception cref="ModelException">A file is missing or damaged, or model, schedule and data do not fit together.</exception>
    /// <exception cref="ConfigurationException">The data are not EmojiScenes.</exception>
    public static ServingSession Open(RunConfiguration configuration, ComputeDevice device, string? schedule, LoraSource? lora = null)
    {
        RequireScenes(configuration);
        return new ServingSession(configuration, device, configuration.Model.Checkpoint ?? ShippedModel.Find(), schedule, lora);
    }

    /// <summary>
    /// The mean raw action per trained step [T_train,4] of the learned schedule over training prompts, and from it the schedule as a table.
    /// </summary>
    /// <exception cref="InvalidOperationException">There is no learned schedule.</exception>
    public TabulatedSchedule Tabulate(ulong seed, CancellationToken cancellation)
    {
        if (_learned is null)
        {
            throw new InvalidOperationException("a table is made from a learned schedule, and this session has none");
        }

        ScheduleProfile profile = ScheduleProfile.Of(this, _learned.Settings.TrainedSteps, seed, cancellation);
        return new TabulatedSchedule(_learned.Parametrization, profile.RawMeans);
    }

    /// <summary>Frees lanes and networks.</summary>
    public void Dispose()
    {
        Lanes?.Dispose();
        if (_learned is null)
        {
            _policy?.Dispose();
        }

        _learned?.Dispose();
        _model?.Dispose();
    }

    /// <summary>Throws unless the data have prompts and pictures that this version can decode and judge.</summary>
    private static void RequireScenes(RunConfiguration configuration)
    {
        if (configuration.Data.Name != DataName.EmojiScenes)
        {
            throw new ConfigurationException("configuration", "data.name", "emoji-scenes, the data whose pictures this version can decode", "prompts",
                "use the preset emoji-scenes");
        }
    }

    private void CheckModel(string checkpoint)
    {
        TransformerConfig transformer = _model.Transformer.Config;
        int codes = SceneTiles.Codebook.Count;
        if (transformer.CodebookSize != codes)
        {
            throw new ModelException(
                $"{checkpoint}: wanted a model of EmojiScenes with codebook_size {codes}, got {transformer.CodebookSize}; name another checkpoint"
            );
        }

        int length = SceneWords.Tokenizer.Length;
        if (_model.TextEncoder.Config.MaxPositionEmbeddings != length)
        {
            throw new ModelException($"{checkpoint}: wanted a text encoder of EmojiScenes with max_position_embeddings {length}, got {_model.TextEncoder.Config.MaxPositionEmbeddings}; name another checkpoint");
        }
    }

    private void CheckPolicy(string? schedule)
    {
        int width = _model.Transformer.Config.Width;
        if (_policy.Config.FeatureDim != width)
        {
            throw new ModelException($"{schedule}: wanted a schedule policy for a model of width {width}, got {_policy.Config.FeatureDim}; name the checkpoint of the model that the schedule was trained with");
        }
    }
}
