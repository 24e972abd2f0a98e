using CoGrpo.Model;
using CoGrpo.Rl.Evaluation;
using CoGrpo.Rl.Logging;

namespace CoGrpo.Rl.Ablation;

/// <summary>What a finished run left in its folder, read back from scores.json and metrics.jsonl.</summary>
internal sealed class AblationResult
{
    private const string Work = "compute/forward_equivalents";

    private readonly IReadOnlyDictionary<int, ScoreSheet> _sheets;
    private readonly IReadOnlyList<Dictionary<string, double>> _iterations;

    private AblationResult(IReadOnlyDictionary<int, ScoreSheet> sheets, IReadOnlyList<Dictionary<string, double>> iterations) =>
        (_sheets, _iterations) = (sheets, iterations);

    /// <summary>Number of iterations.</summary>
    public int Iterations => _iterations.Count;

    /// <summary>Forward equivalents up to each iteration.</summary>
    public IReadOnlyList<double> CumulativeWork
    {
        get
        {
            double sum = 0;
            return [.. _iterations.Select(line => sum += line[Work])];
        }
    }

    /// <summary>Forward equivalents of all iterations.</summary>
    public double TotalWork => _iterations.Sum(line => line[Work]);

    /// <summary>Names of the rollouts' means that were logged: rewards, and the judge where there is one.</summary>
    public IReadOnlyList<string> Curves =>
        Iterations == 0
            ? []
            :
            [
                .. _iterations[0]
                    .Keys.Where(key =>
                        (key.StartsWith("reward/", StringComparison.Ordinal) && key.EndsWith("/mean", StringComparison.Ordinal))
                        || key == "heldout/judge"
                    ),
            ];

    /// <summary>The scores at a number of steps.</summary>
    public ScoreSheet At(int steps) => _sheets[steps];

    /// <summary>A logged number of every iteration.</summary>
    public IReadOnlyList<double> Curve(string key) => [.. _iterations.Select(line => line.GetValueOrDefault(key, double.NaN))];

    /// <summary>Reads a finished run.</summary>
    /// <exception cref="ModelException">A file is missing, broken or of another run; one line.</exception>
    public static AblationResult Read(AblationRun run)
    {
        string scores = Path.Combine(run.Folder, ScoreFile.Name);
        Dictionary<int, ScoreSheet> sheets = [];
        foreach ((int steps, ScoreSheet sheet) in ScoreFile.Read(scores))
        {
            sheets[steps] = sheet;
        }

        foreach (int steps in run.Arm.Steps.Where(steps => !sheets.ContainsKey(steps)))
        {
            throw new ModelException(
                $"{scores}: wanted scores at {steps} steps, found {string.Join(", ", sheets.Keys)}; remove {run.Folder} and go on with --resume"
            );
        }

        string metrics = Path.Combine(run.Folder, "metrics.jsonl");
        if (!File.Exists(metrics))
        {
            throw new ModelException($"{metrics}: wanted the metrics of the finished run, found none; remove {run.Folder} and go on with --resume");
        }

        List<Dictionary<string, double>> lines = [.. MetricsReader.Read(metrics).Where(line => line.ContainsKey(Work))];
        int wanted = Training.TrainingPlan.Of(run.Configuration.Train).Count;
        return lines.Count == wanted ? new AblationResult(sheets, lines)
            : throw new ModelException($"{metrics}: wanted {wanted} iterations, found {lines.Count}; remove {run.Folder} and go on with --resume");
    }
}
