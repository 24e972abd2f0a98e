using CoGrpo.Model;
using CoGrpo.Model.Images;
using CoGrpo.Model.Tokenizers;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.EmojiScenes;
using CoGrpo.Rl.Evaluation;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Runs;

/// <summary>EmojiScenes as the data of a run.</summary>
internal sealed class SceneRunData : IRunData
{
    private readonly EvaluationConfiguration _evaluation;
    private readonly SceneLayout _layout;

    /// <summary>The data of a configuration.</summary>
    public SceneRunData(RunConfiguration configuration)
    {
        _evaluation = configuration.Train.Evaluation;
        _layout = RunFactory.Layout(configuration.Data);
        Watch = new SceneWatch(_layout);
        Rewards =
        [
            .. configuration.Train.Rewards.Select(reward =>
                reward.Name switch
                {
                    RewardName.Adherence => (IReward)new Adherence(_layout),
                    RewardName.Fidelity => new Fidelity(_layout),
                    _ => throw new ModelException(
                        $"train.rewards: wanted adherence or fidelity for EmojiScenes, got {reward.Name}; change the reward or the data"
                    ),
                }
            ),
        ];
    }

    /// <inheritdoc/>
    public string Title => $"EmojiScenes {_layout.Side} x {_layout.Side}";

    /// <inheritdoc/>
    public string EvaluationNote =>
        FormattableString.Invariant(
            $"Held-out prompts, {_evaluation.PromptsPerTask} per task, {_evaluation.Samples} samples each; the judge is never trained on."
        );

    /// <inheritdoc/>
    public IImageTokenizer Pictures => _layout.Tokenizer;

    /// <inheritdoc/>
    public int PixelsPerCode => SceneTiles.PatchSize;

    /// <inheritdoc/>
    public IPromptSource Prompts { get; } = new ScenePromptSource();

    /// <inheritdoc/>
    public IReadOnlyList<IReward> Rewards { get; }

    /// <inheritdoc/>
    public IRolloutWatch Watch { get; }

    /// <inheritdoc/>
    public IRunEvaluator Evaluator(LaneSet lanes) =>
        new SceneRunEvaluator(
            new SceneEvaluator(
                lanes,
                _layout,
                new EvaluationSet(PromptSet.HeldOut, _evaluation.PromptsPerTask, (ulong)_evaluation.Seed, _evaluation.Samples),
                (ulong)_evaluation.Seed
            ),
            _layout
        );

    /// <summary>Owns nothing.</summary>
    public void Dispose()
    {
    }

    private sealed class SceneRunEvaluator(SceneEvaluator evaluator, SceneLayout layout) : IRunEvaluator
    {
        public ScoreSheet Run(int steps, ISchedule? schedule, CancellationToken cancellation) => evaluator.Run(steps, schedule, cancellation).Sheet();

        public RgbImage Grid() => SceneGridPicture.Of(evaluator.Set, layout, evaluator.Codes);
    }
}
