namespace CoGrpo.Rl.Evaluation;

/// <summary>What an evaluation measured.</summary>
/// <param name="Means">Over all pictures; the first is the one that counts.</param>
/// <param name="Parts">The first of the means, split by sort of prompt; empty where prompts have no sorts.</param>
public sealed record ScoreSheet(IReadOnlyList<Score> Means, IReadOnlyList<Score> Parts);
