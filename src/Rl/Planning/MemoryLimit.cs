using System.Globalization;
using CoGrpo.Model;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Logging;

namespace CoGrpo.Rl.Planning;

/// <summary>Fits a run into the memory that its configuration gives it (<see cref="TrainConfiguration.Memory"/>), by its plan.</summary>
public static class MemoryLimit
{
    private const double Gigabyte = 1e9;

    /// <summary>
    /// The configuration itself where it has no limit or its plan keeps to it; else with smaller micro-batches, and blocks computed again in backward
    /// if need be. What was changed is told to <paramref name="progress"/>. Depends on nothing but the configuration and the networks it names, so
    /// that a run that goes on finds the same.
    /// </summary>
    /// <exception cref="ModelException">Nothing that leaves the results as they are makes it fit.</exception>
    public static RunConfiguration Apply(RunConfiguration configuration, IProgressReporter progress)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(progress);
        if (configuration.Train.Memory == 0)
        {
            return configuration;
        }

        progress.Begin("plan memory", 1);
        PlanFit fit = PlanSearch.Fit(RunPlan.Of(configuration), (long)(configuration.Train.Memory * Gigabyte), keepResults: true);
        string limit = configuration.Train.Memory.ToString("0.###", CultureInfo.InvariantCulture), needed = Precise(fit.Plan.Memory.PeakBytes);
        if (!fit.Fits)
        {
            throw new ModelException($"train.memory: wanted a run of at most {limit} GB, got {needed} GB as the least with these results; raise it, or see with 'plan --memory {limit}' what else can be changed");
        }

        progress.Report(1, "");
        progress.Metrics($"memory: {needed} of {limit} GB{(fit.Settings.Count == 0 ? "" : $" with {string.Join(' ', fit.Settings)}")}");
        return fit.Plan.Configuration;
    }

    private static string Precise(long bytes) => (bytes / Gigabyte).ToString("0.000", CultureInfo.InvariantCulture);
}
