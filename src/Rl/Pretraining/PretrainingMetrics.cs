namespace CoGrpo.Rl.Pretraining;

/// <summary>What one pre-training step measured.</summary>
/// <param name="Step">Steps made, this one included.</param>
/// <param name="Loss">Mean cross-entropy over the masked positions of the batch, in nats.</param>
/// <param name="GradientNorm">Global norm before clipping.</param>
/// <param name="LearningRate">The rate used.</param>
public readonly record struct PretrainingMetrics(long Step, double Loss, double GradientNorm, double LearningRate);
