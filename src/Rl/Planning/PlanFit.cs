namespace CoGrpo.Rl.Planning;

/// <summary>The outcome of a search for settings that fit.</summary>
/// <param name="Settings">What to change, in the form of <c>--set</c>; empty if the run fits as it is.</param>
/// <param name="Plan">The run with them: one that fits, or the smallest there is.</param>
/// <param name="Fits">Whether it does.</param>
public sealed record PlanFit(IReadOnlyList<string> Settings, RunPlan Plan, bool Fits);
