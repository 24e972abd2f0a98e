namespace CoGrpo.Rl.Training;

/// <summary>What one update of a phase measured; sums over lanes.</summary>
public struct PhaseMetrics
{
    /// <summary>Loss, ratios, clip fractions, divergence.</summary>
    public ObjectiveStatistics Objective;

    /// <summary>Gradient norm before clipping.</summary>
    public double GradientNorm;

    /// <summary>Learning rate used.</summary>
    public double LearningRate;

    /// <summary>Σ over decoded rows of the entropy of softmax(z/τ_s), in nats, by quarter of the steps.</summary>
    public Quarters EntropySum;

    /// <summary>Rows in each quarter.</summary>
    public Quarters EntropyRows;

    /// <summary>Σ over decoded rows of the log-probability.</summary>
    public double LogProbSum;

    /// <summary>Σ of squared gradients with respect to the conditional logits.</summary>
    public double ConditionalGradientSquares;

    /// <summary>Σ of squared gradients with respect to the unconditional logits.</summary>
    public double UnconditionalGradientSquares;

    /// <summary>Four numbers, one per quarter of the steps.</summary>
    [System.Runtime.CompilerServices.InlineArray(4)]
    public struct Quarters
    {
        private double _first;
    }

    /// <summary>Adds the sums of another lane.</summary>
    public void Add(in PhaseMetrics other)
    {
        Objective.Add(other.Objective);
        for (int i = 0; i < 4; i++)
        {
            EntropySum[i] += other.EntropySum[i];
            EntropyRows[i] += other.EntropyRows[i];
        }

        LogProbSum += other.LogProbSum;
        ConditionalGradientSquares += other.ConditionalGradientSquares;
        UnconditionalGradientSquares += other.UnconditionalGradientSquares;
    }
}
