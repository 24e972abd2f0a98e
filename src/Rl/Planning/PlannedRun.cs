using CoGrpo.Model;
using CoGrpo.Model.Clip;
using CoGrpo.Model.Lora;
using CoGrpo.Model.Meissonic;
using CoGrpo.Model.Rewards;
using CoGrpo.Model.Schedule;
using CoGrpo.Model.TextToImage;
using CoGrpo.Model.Tokenizers;
using CoGrpo.Model.Vq;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Rewards;
using CoGrpo.Rl.Runs;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Rl.Planning;

/// <summary>
/// The networks, lanes and trainer of a run, without weights, prompts, rewards and files: everything that takes memory or time of the device, on
/// whatever device. On a real one an iteration of it holds what the plan says.
/// </summary>
internal sealed class PlannedRun : IDisposable
{
    private readonly List<IDisposable> _owned = [];
    private readonly ComputeDevice _device;
    private readonly PlannedDecoding _decoding;
    private readonly ModelPhaseConfiguration _modelPhase;
    private readonly PlannedPrompts _prompts;
    private readonly List<(string Name, IRewardModel Model)> _rewardModels = [];
    private Trajectories? _sampled;
    private int _rollouts;

    /// <param name="configuration">The run.</param>
    /// <param name="device">Where; stays the caller's and must outlive this.</param>
    /// <exception cref="ModelException">The learned schedule does not fit the model.</exception>
    public PlannedRun(RunConfiguration configuration, ComputeDevice device)
    {
        (_device, _modelPhase) = (device, configuration.Train.Model);
        (TransformerConfig transformer, ClipTextConfig text) = Architecture(configuration.Model);
        Model = Own(new TextToImageModel(transformer, text, device.Backend));
        if (configuration.Train.Model.Lora is { Rank: > 0 } lora)
        {
            Model.Transformer.AddLora(LoraTargets.Select(new LoraConfig(lora.Rank, lora.Alpha, lora.Targets), Model.Transformer.LoraSlots));
        }

        Policy = Own(new SchedulePolicy(SchedulePolicyConfig.ForWidth(configuration.Schedule.PolicyWidth), device.Backend));
        IImageTokenizer tokenizer = Tokenizer(configuration, transformer);
        (int height, int width) = (tokenizer.GridHeight, tokenizer.GridWidth);
        if (configuration.Train.Mode != TrainMode.Naive)
        {
            TrainRun.CheckPolicy(Policy.Config, transformer, tokenizer, tokenizer.PictureHeight / height);
        }

        Lanes = Own(TrainRun.Lanes(configuration, device, Model, Policy, height, width, tokenizer.PictureHeight / height));
        _decoding = new PlannedDecoding(RunFactory.HandMade(configuration.Sampling.HandMade), height, width, transformer.Upsample);
        PlannedReward[] rewards = [.. configuration.Train.Rewards.Select((reward, i) => Reward(reward, decodes: i == 0))];
        _prompts = new PlannedPrompts(text.MaxPositionEmbeddings, text.EosTokenId);
        Trainer = Own(new CoGrpoTrainer(configuration, Lanes, _prompts, rewards, tokenizer, new Boundary(this)) { Sampled = OnSampled });
    }

    public TextToImageModel Model { get; }

    public SchedulePolicy Policy { get; }

    /// <summary>The model that makes pictures of codes, or null where that takes none.</summary>
    public VqModel? Pictures { get; private set; }

    /// <summary>The networks that score pictures.</summary>
    public IReadOnlyList<(string Name, IRewardModel Model)> RewardModels => _rewardModels;

    public LaneSet Lanes { get; }

    public CoGrpoTrainer Trainer { get; }

    /// <summary>Called when an iteration has sampled, and again when it has scored.</summary>
    public Action? Passed { get; set; }

    /// <summary>How many trajectories of a rollout the plan fills in, or null where the device computes them.</summary>
    public int? Planned { get; set; }

    /// <summary>Every backend of the run once.</summary>
    public IReadOnlyList<IBackend> Backends
    {
        get
        {
            List<IBackend> backends = [_device.Backend];
            foreach (TrainingLane lane in Lanes.Lanes)
            {
                if (!backends.Contains(lane.Backend))
                {
                    backends.Add(lane.Backend);
                }
            }

            return backends;
        }
    }

    /// <summary>Encodes the prompts of the last iteration once more.</summary>
    public void EncodePrompts()
    {
        int length = Model.TextEncoder.Config.MaxPositionEmbeddings;
        int[] ids = new int[(1 + _sampled!.Prompts.Distinct().Count()) * length];
        for (int at = 0; at < ids.Length; at += length)
        {
            _prompts.Encode("", ids.AsSpan(at, length));
        }

        Lanes.SetPrompts(ids);
    }

    /// <summary>The model updates of the last iteration once more, from its first <paramref name="images"/> trajectories.</summary>
    public void UpdateModel(int images)
    {
        _decoding.Fill(_sampled!, images);
        for (int update = 0; update < _modelPhase.UpdatesPerRollout; update++)
        {
            Trainer.Model.Update(_sampled!, update, seed: 0, Trainer.Iteration, validShare: 1);
        }
    }

    public void Dispose()
    {
        for (int i = _owned.Count - 1; i >= 0; i--)
        {
            _owned[i].Dispose();
        }
    }

    /// <summary>That of the checkpoint if it is there, else that of the configuration.</summary>
    private static (TransformerConfig Transformer, ClipTextConfig Text) Architecture(ModelConfiguration model) =>
        model.Checkpoint is { } folder && Directory.Exists(folder)
            ? TextToImageModel.ReadArchitecture(folder)
            : (RunFactory.Transformer(model), RunFactory.TextEncoder(model.TextEncoder));

    private static VqConfig Architecture(string? checkpoint) =>
        checkpoint is not null && File.Exists(Path.Combine(checkpoint, "vqvae", "config.json"))
            ? VqModel.ReadArchitecture(Path.Combine(checkpoint, "vqvae"))
            : new VqConfig();

    private PlannedReward Reward(RewardConfiguration reward, bool decodes)
    {
        if (Pictures is null || RewardRegistry.Planned(reward, _device.Backend) is not (IRewardModel model, int[] prompt))
        {
            return new PlannedReward(RewardRegistry.NameOf(reward.Name), decodes && Pictures is not null, null, [], 0, () => _rollouts);
        }

        _rewardModels.Add((RewardRegistry.NameOf(reward.Name), Own(model)));
        return new PlannedReward(RewardRegistry.NameOf(reward.Name), decodes, model, prompt, reward.Batch, () => _rollouts);
    }

    private IImageTokenizer Tokenizer(RunConfiguration configuration, TransformerConfig transformer)
    {
        if (configuration.Data.Name == DataName.EmojiScenes)
        {
            return RunFactory.Layout(configuration.Data).Tokenizer;
        }

        Pictures = Own(new VqModel(Architecture(configuration.Model.Checkpoint), _device.Backend));
        int side = RunFactory.PublishedSide(transformer), factor = Pictures.Config.Factor;
        SamplingConfiguration sampling = configuration.Sampling;
        return Own(
            new VqTokenizer(
                Pictures,
                sampling.Height > 0 ? sampling.Height / factor : side,
                sampling.Width > 0 ? sampling.Width / factor : side,
                transformer.MaskToken
            )
        );
    }

    private void OnSampled(Trajectories trajectories)
    {
        _sampled = trajectories;
        _rollouts++;
        if (Planned is { } images)
        {
            _decoding.Fill(trajectories, Math.Min(images, trajectories.Images));
        }

        Passed?.Invoke();
    }

    private T Own<T>(T value)
        where T : IDisposable
    {
        _owned.Add(value);
        return value;
    }

    /// <summary>Stands between rewards and update.</summary>
    private sealed class Boundary(PlannedRun run) : IRolloutWatch
    {
        public (double Judge, double Diversity) Watch(ReadOnlySpan<IPrompt> prompts, ReadOnlySpan<int> codes, int group)
        {
            run.Passed?.Invoke();
            return (double.NaN, double.NaN);
        }
    }
}
