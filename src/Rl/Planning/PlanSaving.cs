namespace CoGrpo.Rl.Planning;

/// <summary>What one switch alone does to a run.</summary>
/// <param name="Switch">The switch.</param>
/// <param name="Value">What it is set to, the value that saves most.</param>
/// <param name="Plan">The run with it.</param>
public sealed record PlanSaving(PlanSwitch Switch, string Value, RunPlan Plan);
