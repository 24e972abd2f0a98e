using CoGrpo.Rl.EmojiScenes;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Evaluation;

/// <summary>
/// Samples the pictures of an <see cref="EvaluationSet"/> with mean actions and scores them. Prompts and noise depend on the set's seed alone, so
/// checkpoints are comparable.
/// </summary>
public sealed class SceneEvaluator
{
    private const int PromptsPerCall = 96;

    private readonly LaneSet _lanes;
    private readonly IBackend _backend;
    private readonly SceneLayout _layout;
    private readonly EvaluationSet _set;
    private readonly ulong _seed;
    private readonly PromptTable _table = new(new ScenePromptSource());

    /// <summary>An evaluator that samples with <paramref name="lanes"/>.</summary>
    public SceneEvaluator(LaneSet lanes, SceneLayout layout, EvaluationSet set, ulong seed)
    {
        _lanes = lanes;
        _backend = lanes.Setup.Model.Backend;
        _layout = layout;
        _set = set;
        _seed = seed;
        Codes = new int[set.Count * layout.CodeCount];
    }

    /// <summary>The pictures of the last evaluation, [Count, N].</summary>
    public int[] Codes { get; }

    /// <summary>The set.</summary>
    public EvaluationSet Set => _set;

    /// <summary>Samples every picture in T = <paramref name="steps"/> steps and scores them.</summary>
    /// <param name="steps">T.</param>
    /// <param name="schedule">Null for the learned schedule with mean actions, else this one.</param>
    /// <param name="cancellation">Checked between groups of pictures.</param>
    public EvaluationReport Run(int steps, ISchedule? schedule, CancellationToken cancellation = default)
    {
        int samples = _set.Samples;
        ReadOnlySpan<Prompt> all = _set.Prompts;
        for (int first = 0; first < all.Length; first += PromptsPerCall * samples)
        {
            cancellation.ThrowIfCancellationRequested();
            int images = Math.Min(PromptsPerCall * samples, all.Length - first);
            var prompts = new IPrompt[images / samples];
            for (int p = 0; p < prompts.Length; p++)
            {
                prompts[p] = all[first + (p * samples)];
            }

            _table.Set(prompts);
            _lanes.SetPrompts(_table.Ids);
            using var trajectories = new Trajectories(_backend, images, _layout.CodeCount, steps);
            for (int i = 0; i < images; i++)
            {
                trajectories.Prompts[i] = 1 + (i / samples);
            }

            _lanes.Sample(trajectories, schedule, exploration: null, _seed, first, samples);
            for (int i = 0; i < trajectories.Tokens.Length; i++)
            {
                Codes[(first * _layout.CodeCount) + i] = trajectories.Tokens[i];
            }
        }

        return _set.Report(_layout, Codes);
    }
}
