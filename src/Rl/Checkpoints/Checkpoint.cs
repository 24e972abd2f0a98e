namespace CoGrpo.Rl.Checkpoints;

/// <summary>A checkpoint whose files were all found intact.</summary>
/// <param name="Step">Training step after which it was written.</param>
/// <param name="Directory">Where its files are.</param>
public sealed record Checkpoint(long Step, string Directory);
