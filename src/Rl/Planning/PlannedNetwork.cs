namespace CoGrpo.Rl.Planning;

/// <summary>The size of a network of a run.</summary>
/// <param name="Name">Which.</param>
/// <param name="Parameters">Number of weights.</param>
/// <param name="Trained">How many of them the run trains.</param>
public sealed record PlannedNetwork(string Name, long Parameters, long Trained);
