namespace CoGrpo.Rl.Serving;

/// <summary>One round of a <see cref="GridSearchPlan"/>.</summary>
/// <param name="Candidates">Most candidates that take part: the best of the round before.</param>
/// <param name="PromptsPerTask">Training prompts of each of the six tasks.</param>
/// <param name="Samples">Pictures of each prompt.</param>
public sealed record GridSearchRound(int Candidates, int PromptsPerTask, int Samples);
