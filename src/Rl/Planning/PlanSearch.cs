using CoGrpo.Rl.Configuration;

namespace CoGrpo.Rl.Planning;

/// <summary>Looks for settings of a run that need less memory, by planning the run with them.</summary>
public static class PlanSearch
{
    /// <summary>
    /// What each switch alone saves, set to what saves most; those that save nothing are left out. <paramref name="planned"/> is called after each
    /// plan, on any thread.
    /// </summary>
    public static IReadOnlyList<PlanSaving> Savings(RunPlan plan, Action? planned = null)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return [.. PlanSwitch.Of(plan.Configuration).AsParallel().AsOrdered().WithDegreeOfParallelism(Environment.ProcessorCount)
            .Select(option =>
            {
                string value = option.Values[^1];
                RunPlan changed = RunPlan.Of(PlanSwitch.Apply(plan.Configuration, [Setting(option, value)]));
                planned?.Invoke();
                return new PlanSaving(option, value, changed);
            })
            .Where(saving => saving.Plan.Memory.PeakBytes < plan.Memory.PeakBytes)];
    }

    /// <summary>
    /// Settings with which a run needs no more than <paramref name="bytes"/>. Switches are set in their order, each to what saves most, until the run
    /// fits; then each is taken back as far as it goes, the ones that change what is trained first.
    /// </summary>
    /// <param name="plan">The run as it is.</param>
    /// <param name="bytes">What it may need.</param>
    /// <param name="keepResults">Leave alone what changes its results.</param>
    public static PlanFit Fit(RunPlan plan, long bytes, bool keepResults = false)
    {
        ArgumentNullException.ThrowIfNull(plan);
        List<(PlanSwitch Switch, int Value)> chosen = [];
        RunPlan best = plan;
        foreach (PlanSwitch option in PlanSwitch.Of(plan.Configuration).Where(option => option.KeepsResults || !keepResults))
        {
            if (best.Memory.PeakBytes <= bytes)
            {
                break;
            }

            (PlanSwitch, int) choice = (option, option.Values.Count - 1);
            RunPlan smaller = Plan([.. chosen, choice]);
            if (smaller.Memory.PeakBytes < best.Memory.PeakBytes)
            {
                chosen.Add(choice);
                best = smaller;
            }
        }

        bool fits = best.Memory.PeakBytes <= bytes;
        for (int i = chosen.Count - 1; fits && i >= 0; i--)
        {
            // Not at all (-1), then from the least saving on.
            for (int value = -1; value < chosen[i].Value; value++)
            {
                List<(PlanSwitch Switch, int Value)> less = [.. chosen];
                less[i] = (chosen[i].Switch, value);
                RunPlan larger = Plan(less);
                if (larger.Memory.PeakBytes <= bytes)
                {
                    (chosen, best) = (less, larger);
                    break;
                }
            }
        }

        return new PlanFit(Settings(chosen), best, fits);

        RunPlan Plan(List<(PlanSwitch, int)> choices) => RunPlan.Of(PlanSwitch.Apply(plan.Configuration, Settings(choices)));
    }

    private static List<string> Settings(List<(PlanSwitch Switch, int Value)> choices) =>
        [.. choices.Where(choice => choice.Value >= 0).Select(choice => Setting(choice.Switch, choice.Switch.Values[choice.Value]))];

    private static string Setting(PlanSwitch option, string value) => $"{option.Path}={value}";
}
