namespace CoGrpo.Rl.EmojiScenes;

/// <summary>Means over the pictures of a task (diversity: over its prompts), each 0..1.</summary>
/// <param name="Judge">Share of pictures that pass the judge.</param>
/// <param name="Adherence">Mean share of facts.</param>
/// <param name="Fidelity">Mean fidelity.</param>
/// <param name="Diversity">Mean share of distinct readings.</param>
public readonly record struct TaskScores(double Judge, double Adherence, double Fidelity, double Diversity);
