using System.Globalization;
using CoGrpo.Model.Images;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.EmojiScenes;
using CoGrpo.Rl.Evaluation;
using CoGrpo.Rl.Logging;
using CoGrpo.Rl.Runs;
using CoGrpo.Runtime.Files;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Serving;

/// <summary>
/// The <c>eval</c> command's work: scores of a checkpoint at every step count of <c>train.evaluation.steps</c>. With a learned schedule each
/// step count is scored with the hand-made schedule too, on the same prompts and the same noise.
/// </summary>
public sealed class EvaluationService
{
    private readonly ServingSession _session;
    private readonly EvaluationConfiguration _settings;
    private readonly string _folder;
    private readonly string _split;
    private readonly SceneEvaluator _evaluator;
    private readonly List<EvaluationRow> _rows = [];
    private RgbImage? _grid;

    /// <summary>A service over a session; prompts come from the held-out split, or with <paramref name="trainingPrompts"/> from the other.</summary>
    public EvaluationService(ServingSession session, RunConfiguration configuration, bool trainingPrompts)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(configuration);
        _session = session;
        _settings = configuration.Train.Evaluation;
        _folder = Path.GetFullPath(configuration.Output.Directory);
        _split = trainingPrompts ? "train" : "held-out";
        _evaluator = Evaluator(trainingPrompts ? PromptSet.Train : PromptSet.HeldOut);
    }

    /// <summary>The scores so far, in the order they were made.</summary>
    public IReadOnlyList<EvaluationRow> Rows => _rows;

    /// <summary>Scores every step count with every schedule that <paramref name="transfer"/> asks for.</summary>
    public void Evaluate(TransferMode transfer, IProgressReporter progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(progress);
        List<(string Name, ISchedule? Schedule)> schedules = [("hand-made", _session.HandMade)];
        if (_session.Learned is not null && transfer != TransferMode.Table)
        {
            schedules.Add(("learned, adaptive", null));
        }

        if (_session.Learned is not null && transfer != TransferMode.Adaptive)
        {
            schedules.Add(("learned, table", _session.Tabulate((ulong)_settings.Seed, cancellation)));
        }

        progress.Begin("evaluate", (long)schedules.Count * _settings.Steps.Count);
        foreach (int steps in _settings.Steps)
        {
            foreach ((string name, ISchedule? schedule) in schedules)
            {
                EvaluationReport report = _evaluator.Run(steps, schedule, cancellation);
                _rows.Add(new EvaluationRow(name, _split, steps, report));
                _grid = SceneGridPicture.Of(_evaluator.Set, _session.Layout, _evaluator.Codes);
                progress.Report(_rows.Count, string.Create(CultureInfo.InvariantCulture, $"{name}, {steps} steps: judge {report.Mean.Judge:f3}"));
            }
        }

        progress.End();
    }

    /// <summary>
    /// Searches the hand-made settings on training prompts at every step count and scores each winner once on held-out prompts: the fair
    /// baseline of a learned schedule. Returns step count, winner and the scores of the search.
    /// </summary>
    public IReadOnlyList<GridSearchResult> Search(GridSearchPlan plan, IProgressReporter progress, CancellationToken cancellation)
    {
        var results = new List<GridSearchResult>();
        SceneEvaluator heldOut = Evaluator(PromptSet.HeldOut);
        foreach (int steps in _settings.Steps)
        {
            GridSearchResult result = HandMadeGridSearch.Run(_session, plan, steps, (ulong)_settings.Seed, progress, cancellation);
            EvaluationReport report = heldOut.Run(steps, new HandMadeSchedule(result.Winner.Settings), cancellation);
            _rows.Add(new EvaluationRow("hand-made, searched", "held-out", steps, report));
            results.Add(result);
        }

        return results;
    }

    /// <summary>
    /// Writes <c>eval.md</c>, <c>eval.csv</c> and <c>eval-grid.png</c> (the last evaluation's first prompts of every task), and with a search
    /// <c>eval-search.csv</c>; returns their paths.
    /// </summary>
    public IReadOnlyList<string> Write(IReadOnlyList<GridSearchResult> searches)
    {
        ArgumentNullException.ThrowIfNull(searches);
        Directory.CreateDirectory(_folder);
        List<string> paths = [Path.Combine(_folder, "eval.md"), Path.Combine(_folder, "eval.csv")];
        AtomicFile.WriteAllText(paths[0], Markdown(searches));
        AtomicFile.WriteAllText(paths[1], EvaluationRow.Table(_rows, digits: 6).ToCsv());
        if (_grid is not null)
        {
            paths.Add(Path.Combine(_folder, "eval-grid.png"));
            PngWriter.Write(paths[^1], _grid);
        }

        if (searches.Count > 0)
        {
            paths.Add(Path.Combine(_folder, "eval-search.csv"));
            AtomicFile.WriteAllText(paths[^1], GridSearchResult.Table(searches).ToCsv());
        }

        return paths;
    }

    private string Markdown(IReadOnlyList<GridSearchResult> searches)
    {
        string model = Path.GetFileName(Path.TrimEndingDirectorySeparator(_session.Checkpoint));
        string text = string.Create(CultureInfo.InvariantCulture,
            $"# Evaluation of {model}\n\nEmojiScenes, {_session.Layout.Side} x {_session.Layout.Side} cells, {_settings.PromptsPerTask} prompts per task, {_settings.Samples} pictures per prompt, seed {_settings.Seed}, mean actions. ")
            + "The judge is 1 where a picture shows all of its prompt, cleanly; columns of tasks are judges. The error is binomial; pictures of one prompt are alike, so the true one is larger.\n\n"
            + EvaluationRow.Table(_rows).ToMarkdown();
        if (_grid is not null)
        {
            text += "\n![pictures](eval-grid.png)\n";
        }

        if (searches.Count > 0)
        {
            text += "\n## Search of the hand-made schedule\n\nOn training prompts; the best of each step count was then scored once on held-out prompts. All scores: eval-search.csv.\n\n"
                + GridSearchResult.Table(searches, finalOnly: true).ToMarkdown();
        }

        return text;
    }

    private SceneEvaluator Evaluator(PromptSet split) =>
        new(
            _session.Lanes,
            _session.Layout,
            new EvaluationSet(split, _settings.PromptsPerTask, (ulong)_settings.Seed, _settings.Samples),
            (ulong)_settings.Seed
        );
}
