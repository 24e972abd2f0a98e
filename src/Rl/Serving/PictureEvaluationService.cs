using System.Globalization;
using CoGrpo.Model;
using CoGrpo.Model.Images;
using CoGrpo.Model.TextToImage;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Logging;
using CoGrpo.Rl.Prompts;
using CoGrpo.Rl.Rewards;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Files;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Serving;

/// <summary>
/// The <c>eval</c> command's work with a model folder in the published layout: pictures for prompts, scored by any rewards at every step count of
/// <c>train.evaluation.steps</c>, with a learned schedule beside the hand-made one on the same prompts and noise. Picture i draws the noise of
/// trajectory i of the evaluation's seed.
/// </summary>
public sealed class PictureEvaluationService
{
    private const int PicturesPerCall = 32;
    private const int GridPictures = 16;
    private const int GridColumns = 4;
    private const int GridSide = 256;
    private const int GridPadding = 8;

    private readonly RunConfiguration _configuration;
    private readonly PictureEvaluationOptions _options;
    private readonly int _samples;
    private readonly string _folder;
    private readonly PictureScore[] _scores;
    private readonly List<PictureEvaluationRow> _rows = [];
    private readonly List<RgbImage> _grid = [];
    private readonly List<string> _notes = [];

    private PictureEvaluationService(RunConfiguration configuration, PictureEvaluationOptions options)
    {
        (_configuration, _options, _samples) = (configuration, options, configuration.Train.Evaluation.Samples);
        _folder = Path.GetFullPath(configuration.Output.Directory);
        _scores = [.. options.Rewards.Select(PictureScore.Of)];
        if (_scores.Length == 0 || _scores.Distinct().Count() < _scores.Length)
        {
            string found = _scores.Length == 0 ? "none" : _scores.GroupBy(score => score).First(group => group.Count() > 1).Key.Name + " twice";
            throw new ModelException($"rewards: wanted one or more scores, each once, got {found}; name them with --rewards, or in train.rewards and train.evaluation.metrics");
        }
    }

    /// <summary>The scores, step count by step count.</summary>
    public ResultTable Table => PictureEvaluationRow.Table(_rows, _options.Prompts.Styles);

    /// <summary>What a reader of the scores has to know, such as prompts that were cut.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Loads <c>model.checkpoint</c> of <paramref name="configuration"/> and the rewards, draws and scores.</summary>
    /// <exception cref="ModelException">Model, schedule, adapters, rewards and sizes do not fit together, or a part is missing.</exception>
    /// <exception cref="WeightsFileException">A weight file is damaged.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static PictureEvaluationService Run(
        RunConfiguration configuration,
        ComputeDevice device,
        PictureEvaluationOptions options,
        IProgressReporter progress,
        CancellationToken cancellation
    )
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(progress);
        var service = new PictureEvaluationService(configuration, options);
        service.Run(device, progress, cancellation);
        return service;
    }

    /// <summary>
    /// Writes <c>eval.md</c>, <c>eval.csv</c> and <c>eval-grid.png</c> (first prompts, drawn by the last schedule and step count) to the output
    /// folder; returns their paths.
    /// </summary>
    public IReadOnlyList<string> Write()
    {
        Directory.CreateDirectory(_folder);
        string[] paths = [.. new[] { "eval.md", "eval.csv", "eval-grid.png" }.Select(name => Path.Combine(_folder, name))];
        AtomicFile.WriteAllText(paths[0], Markdown());
        AtomicFile.WriteAllText(paths[1], PictureEvaluationRow.Table(_rows, _options.Prompts.Styles, digits: 6).ToCsv());
        string[] captions = [.. _options.Prompts.Prompts.Take(_grid.Count).Select(prompt => prompt.Text)];
        PngWriter.Write(paths[2], ImageGrid.Render(_grid, GridColumns, captions, 1, GridPadding));
        return paths;
    }

    private void Run(ComputeDevice device, IProgressReporter progress, CancellationToken cancellation)
    {
        int total = checked(_options.Prompts.Prompts.Count * _samples);
        string checkpoint = PictureSession.CheckpointOf(_configuration);
        progress.Begin(
            $"load {Path.GetFileName(Path.TrimEndingDirectorySeparator(checkpoint))} and {string.Join(", ", _scores.Select(score => score.Name))}",
            1
        );
        using PictureSession session = PictureSession.Open(
            _configuration,
            device,
            new PictureSessionOptions
            {
                Pictures = total,
                Schedule = _options.Schedule,
                Lora = _options.Lora,
                ReferenceCounts = _options.ReferenceCounts,
            }
        );
        List<IReward> rewards = [];
        try
        {
            foreach (RewardConfiguration reward in _options.Rewards)
            {
                cancellation.ThrowIfCancellationRequested();
                rewards.Add(RewardRegistry.Create(reward, session.Backend));
            }

            foreach (int steps in _configuration.Train.Evaluation.Steps)
            {
                Evaluate("hand-made", session.HandMade, steps);
                if (session.Learned is { } learned)
                {
                    Evaluate("learned, adaptive", learned, steps);
                }
            }

            _notes.AddRange(
                rewards
                    .OfType<NetworkReward>()
                    .Where(reward => reward.TruncatedPrompts > 0)
                    .Select(reward =>
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{reward.TruncatedPrompts} prompts are longer than {reward.Name} reads; their ends have no part in its score."
                        )
                    )
            );
        }
        finally
        {
            foreach (IDisposable reward in rewards.OfType<IDisposable>())
            {
                reward.Dispose();
            }
        }

        void Evaluate(string title, ISchedule schedule, int steps)
        {
            progress.Begin(string.Create(CultureInfo.InvariantCulture, $"{title}, {steps} steps"), (long)total * steps);
            _rows.AddRange(Score(session, rewards, title, schedule, steps, total, new DrawProgress(progress, total, cancellation), cancellation));
            progress.Metrics(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{title}, {steps} steps: {string.Join(", ", _rows.TakeLast(rewards.Count).Select(row => $"{row.Score.Name} {row.Mean:f4}"))}"
                )
            );
            progress.End();
        }
    }

    private IEnumerable<PictureEvaluationRow> Score(
        PictureSession session,
        List<IReward> rewards,
        string title,
        ISchedule schedule,
        int steps,
        int total,
        DrawProgress progress,
        CancellationToken cancellation
    )
    {
        _grid.Clear();
        double[][] values = [.. rewards.Select(_ => new double[total])];
        List<RgbImage> waiting = [];
        for (int first = 0; first < total;)
        {
            int count = Math.Min(session.Together, total - first);
            progress.Start(first, Prompt(first).Text);
            waiting.AddRange(session.Pipeline.Draw(
                new PictureRequest
                {
                    Prompts = [.. Enumerable.Range(first, count).Select(i => Prompt(i).Text)],
                    FirstPicture = first,
                    Steps = steps,
                    Seed = (ulong)_configuration.Train.Evaluation.Seed,
                },
                schedule, progress));
            first += count;
            progress.Start(first, "");
            if (waiting.Count >= PicturesPerCall || first == total)
            {
                Score(rewards, values, first - waiting.Count, [.. waiting], cancellation);
                waiting.Clear();
            }
        }

        return _scores.Select((score, k) => score.Row(title, steps, values[k], _samples, _options.Prompts.Styles));
    }

    private void Score(List<IReward> rewards, double[][] values, int first, RgbImage[] pictures, CancellationToken cancellation)
    {
        IPrompt[] prompts = [.. Enumerable.Range(first, pictures.Length).Select(Prompt)];
        var batch = new RewardBatch(prompts, pictures);
        for (int k = 0; k < rewards.Count; k++)
        {
            rewards[k].Score(batch, values[k].AsSpan(first, pictures.Length), cancellation);
        }

        for (int i = 0; i < pictures.Length && _grid.Count < GridPictures; i++)
        {
            if ((first + i) % _samples == 0)
            {
                _grid.Add(pictures[i].Shrink(Math.Max(1, Math.Max(pictures[i].Width, pictures[i].Height) / GridSide)));
            }
        }
    }

    private TextPrompt Prompt(int picture) => _options.Prompts.Prompts[picture / _samples];

    private string Markdown()
    {
        string model = Path.GetFileName(Path.TrimEndingDirectorySeparator(PictureSession.CheckpointOf(_configuration)));
        string styles = _options.Prompts.Styles.Count == 0 ? "" : " A style's score is the mean of the means of 80 pictures at a time, as the benchmark's evaluator has it; the average is over all pictures.";
        return string.Create(CultureInfo.InvariantCulture,
            $"# Evaluation of {model}\n\nPictures for {_options.Prompts.Title}, {_samples} per prompt, seed {_configuration.Train.Evaluation.Seed}, mean actions. Errors are standard errors of the mean over prompts.{styles}\n\n")
            + Table.ToMarkdown()
            + string.Concat(_notes.Select(note => $"\n{note}\n"))
            + "\n![pictures](eval-grid.png)\n";
    }
}
