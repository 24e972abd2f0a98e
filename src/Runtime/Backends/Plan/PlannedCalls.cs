namespace CoGrpo.Runtime.Backends.Plan;

/// <summary>Calls of one operation that cost the same.</summary>
/// <param name="Operation">Its name.</param>
/// <param name="Cost">Of one call.</param>
/// <param name="Times">Number of calls; a fraction where work is a share of other work.</param>
public readonly record struct PlannedCalls(string Operation, OperationCost Cost, double Times);
