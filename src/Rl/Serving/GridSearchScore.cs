using CoGrpo.Rl.EmojiScenes;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Serving;

/// <summary>One candidate's scores in one round.</summary>
/// <param name="Round">From 1.</param>
/// <param name="Settings">The candidate.</param>
/// <param name="Pictures">Pictures scored.</param>
/// <param name="Report">The scores.</param>
public sealed record GridSearchScore(int Round, HandMadeSettings Settings, int Pictures, EvaluationReport Report);
