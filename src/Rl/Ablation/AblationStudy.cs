using System.Globalization;
using System.Text.Json;
using CoGrpo.Model;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Logging;
using CoGrpo.Rl.Runs;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Rl.Ablation;

/// <summary>
/// The <c>ablate</c> command's work: every arm of the tables with every seed is a run folder of its own, made by <see cref="TrainRun"/>; then the
/// tables are written from what the folders hold. An arm that stands in several tables is run once. With one seed all arms are scored on the same
/// prompts and noise, with another seed on others, so that the spread over seeds holds the sampling of prompts as well.
/// </summary>
public sealed class AblationStudy
{
    private readonly string _folder;
    private readonly IReadOnlyList<AblationTable> _tables;
    private readonly IReadOnlyList<AblationRun> _runs;

    /// <summary>The study in <paramref name="folder"/>; nothing is run yet and nothing written.</summary>
    /// <param name="load">The configuration with overrides laid over it.</param>
    /// <param name="tables">Numbers of the tables, of <see cref="AblationTables.Ids"/>.</param>
    /// <param name="seeds">Distinct seeds.</param>
    /// <param name="folder">Where run folders and tables go.</param>
    /// <exception cref="ConfigurationException">The configuration, or that of an arm, cannot be used.</exception>
    public AblationStudy(
        Func<IReadOnlyList<string>, RunConfiguration> load,
        IReadOnlyCollection<string> tables,
        IReadOnlyList<long> seeds,
        string folder
    )
    {
        ArgumentNullException.ThrowIfNull(load);
        ArgumentNullException.ThrowIfNull(seeds);
        RunConfiguration configuration = load([]);
        _folder = Path.GetFullPath(folder);
        _tables = AblationTables.Of(configuration, tables);
        AblationArm[] arms = [.. _tables.SelectMany(table => table.Arms).DistinctBy(arm => arm.Key)];

        // Seed by seed: a study that is stopped early has whole tables of fewer seeds.
        _runs = [.. seeds.SelectMany(seed => arms.Select(arm => new AblationRun(arm, seed, load(
        [
            .. arm.Overrides,
            string.Create(CultureInfo.InvariantCulture, $"train.evaluation.steps=[{string.Join(',', arm.Steps)}]"),
            string.Create(CultureInfo.InvariantCulture, $"train.evaluation.seed={configuration.Train.Evaluation.Seed + seed}"),
            string.Create(CultureInfo.InvariantCulture, $"seed={seed}"),
            $"output.directory={JsonSerializer.Serialize(Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"{arm.Key}-seed-{seed}")))}",
        ]))))];
    }

    /// <summary>Makes the runs that are not finished and writes the tables, which are returned with their files.</summary>
    /// <param name="device">Where runs work.</param>
    /// <param name="resume">Finished runs are kept and interrupted ones go on; without it a run that is there already is an error.</param>
    /// <param name="progress">Told of every run.</param>
    /// <param name="cancellation">Stops at the next safe point; <paramref name="resume"/> goes on from there.</param>
    /// <exception cref="ModelException">A run folder is broken, or of other settings, or there without <paramref name="resume"/>; nothing was
    /// run.</exception>
    public AblationReport Execute(ComputeDevice device, bool resume, IProgressReporter progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(progress);
        if (!resume && _runs.FirstOrDefault(run => run.Exists) is { } present)
        {
            throw new ModelException(
                $"{present.Folder}: wanted an empty folder, a run is there already; add --resume to go on, or choose another --output"
            );
        }

        foreach (AblationRun run in _runs)
        {
            run.Check();
        }

        for (int i = 0; i < _runs.Count; i++)
        {
            AblationRun run = _runs[i];
            string name = string.Create(CultureInfo.InvariantCulture, $"run {i + 1} of {_runs.Count}, {run.Arm.Key}, seed {run.Seed}");
            if (run.IsFinished)
            {
                progress.Metrics($"{name}: finished before");
                continue;
            }

            cancellation.ThrowIfCancellationRequested();
            TrainRun.Execute(run.Configuration, device, run.Exists, new RunProgress(progress, name), TextWriter.Null, cancellation);
        }

        var report = new AblationReport(_tables, _runs);
        report.Write(_folder);
        return report;
    }
}
