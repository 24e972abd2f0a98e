using CoGrpo.Model.Images;
using CoGrpo.Model.Tokenizers;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Evaluation;
using CoGrpo.Rl.Runs;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Prompts;

/// <summary>Samples held-out prompts with mean actions and scores the pictures by the rewards and by the metrics that are never trained on.</summary>
internal sealed class PromptEvaluator : IRunEvaluator
{
    private const int PicturesPerCall = 32;
    private const int GridPictures = 16;
    private const int GridColumns = 4;
    private const int GridSide = 256;

    private readonly LaneSet _lanes;
    private readonly PromptTable _table;
    private readonly IImageTokenizer _pictures;
    private readonly IReadOnlyList<IReward> _scores;
    private readonly IRolloutWatch _watch;
    private readonly TextPrompt[] _prompts;
    private readonly int _samples;
    private readonly ulong _seed;
    private readonly List<RgbImage> _grid = [];

    /// <summary>
    /// An evaluator of <see cref="EvaluationConfiguration.PromptsPerTask"/> of the prompts, chosen by the evaluation's seed; of all of them if there
    /// are fewer.
    /// </summary>
    /// <param name="lanes">Sample.</param>
    /// <param name="source">Turns prompts to ids.</param>
    /// <param name="heldOut">The prompts to choose from.</param>
    /// <param name="scores">Rewards and metrics, in the order of the sheet.</param>
    /// <param name="pictures">Codes to pictures.</param>
    /// <param name="watch">Measures diversity.</param>
    /// <param name="evaluation">Numbers and seed.</param>
    public PromptEvaluator(
        LaneSet lanes,
        IPromptSource source,
        IReadOnlyList<TextPrompt> heldOut,
        IReadOnlyList<IReward> scores,
        IImageTokenizer pictures,
        IRolloutWatch watch,
        EvaluationConfiguration evaluation
    )
    {
        (_lanes, _table, _scores, _pictures, _watch) = (lanes, new PromptTable(source), scores, pictures, watch);
        (_samples, _seed) = (evaluation.Samples, (ulong)evaluation.Seed);
        _prompts = PromptSplit.Choose(heldOut, evaluation.PromptsPerTask, _seed);
    }

    /// <summary>Prompts of an evaluation.</summary>
    public int Count => _prompts.Length;

    /// <inheritdoc/>
    public ScoreSheet Run(int steps, ISchedule? schedule, CancellationToken cancellation)
    {
        _grid.Clear();
        int perCall = Math.Max(1, PicturesPerCall / _samples);
        double[][] means = [.. _scores.Select(_ => new double[_prompts.Length])];
        double[] diversity = new double[_prompts.Length];
        for (int first = 0; first < _prompts.Length; first += perCall)
        {
            cancellation.ThrowIfCancellationRequested();
            Score(first, Math.Min(perCall, _prompts.Length - first), steps, schedule, means, diversity, cancellation);
        }

        return new ScoreSheet(
            [
                .. _scores.Select((score, k) => new Score(score.Name, means[k].Average(), 4, StandardError(means[k]))),
                .. _samples > 1 ? (Score[])[new Score("diversity", diversity.Average(), 2)] : [],
            ], []);
    }

    /// <inheritdoc/>
    public RgbImage Grid() => ImageGrid.Render(_grid, GridColumns, [.. _prompts.Take(_grid.Count).Select(prompt => prompt.Text)], 1, 8);

    private void Score(int first, int count, int steps, ISchedule? schedule, double[][] means, double[] diversity, CancellationToken cancellation)
    {
        int images = count * _samples, codes = _pictures.CodeCount;
        var prompts = new IPrompt[images];
        using var trajectories = new Trajectories(_lanes.Setup.Model.Backend, images, codes, steps);
        for (int i = 0; i < images; i++)
        {
            prompts[i] = _prompts[first + (i / _samples)];
            trajectories.Prompts[i] = 1 + (i / _samples);
        }

        _table.Set([.. _prompts.AsSpan(first, count)]);
        _lanes.SetPrompts(_table.Ids);
        _lanes.Sample(trajectories, schedule, exploration: null, _seed, first * _samples, _samples);
        int[] tokens = [.. Enumerable.Range(0, images * codes).Select(i => (int)trajectories.Tokens[i])];
        var batch = new RewardBatch(prompts, tokens, _pictures, new RgbImage?[images]);
        double[] scores = new double[images];
        for (int k = 0; k < _scores.Count; k++)
        {
            _scores[k].Score(batch, scores, cancellation);
            for (int p = 0; p < count; p++)
            {
                means[k][first + p] = scores.AsSpan(p * _samples, _samples).ToArray().Average();
            }
        }

        for (int p = 0; p < count; p++)
        {
            diversity[first + p] = _watch
                .Watch(prompts.AsSpan(p * _samples, _samples), tokens.AsSpan(p * _samples * codes, _samples * codes), _samples)
                .Diversity;
            if (_grid.Count < GridPictures)
            {
                RgbImage picture = batch.Image(p * _samples);
                _grid.Add(picture.Shrink(Math.Max(1, Math.Max(picture.Width, picture.Height) / GridSide)));
            }
        }
    }

    /// <summary>Of the mean over prompts, whose pictures are not independent; NaN for a single prompt.</summary>
    private static double StandardError(double[] values)
    {
        double mean = values.Average();
        return values.Length < 2 ? double.NaN : Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1) / values.Length);
    }
}
