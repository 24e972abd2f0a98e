namespace CoGrpo.Rl;

/// <summary>Loss and diagnostics of one call, as sums, so that the calls of an update add up. Segments with weight 0 are not counted.</summary>
public struct ObjectiveStatistics
{
    /// <summary>-(1/normaliser) Σ w J.</summary>
    public double LossPolicy { get; set; }

    /// <summary>β/normaliser Σ w k3.</summary>
    public double LossKl { get; set; }

    /// <summary>Segments counted.</summary>
    public long Segments { get; set; }

    /// <summary>Rows (tokens, or actions) counted.</summary>
    public long Rows { get; set; }

    /// <summary>Segments clipped above 1+ε (or at the ratio cap).</summary>
    public long ClippedHigh { get; set; }

    /// <summary>Segments clipped below 1-ε.</summary>
    public long ClippedLow { get; set; }

    /// <summary>Σ of the ratios of the segments.</summary>
    public double RatioSum { get; set; }

    /// <summary>Smallest ratio; infinity when none was counted.</summary>
    public double RatioMin { get; set; }

    /// <summary>Largest ratio; minus infinity when none was counted.</summary>
    public double RatioMax { get; set; }

    /// <summary>Σ over rows of ½Δ², Δ = log-probability now minus in the rollout.</summary>
    public double KlSquareSum { get; set; }

    /// <summary>Σ over rows of e^Δ - Δ - 1, the k3 estimate of the divergence from the rollout's policy.</summary>
    public double KlK3Sum { get; set; }

    /// <summary>
    /// Largest |log-ratio| of a segment against the rollout's stored log-probabilities, in on-policy mode too: a mismatch detector, 0 before the
    /// first update.
    /// </summary>
    public double RolloutMismatch { get; set; }

    /// <summary>Nothing counted yet. Not the default value.</summary>
    public static ObjectiveStatistics Empty => new() { RatioMin = double.PositiveInfinity, RatioMax = double.NegativeInfinity };

    /// <summary>Policy and KL loss together.</summary>
    public readonly double Loss => LossPolicy + LossKl;

    /// <summary>Share of segments clipped above; 0 when none was counted.</summary>
    public readonly double ClipFractionHigh => Segments == 0 ? 0 : (double)ClippedHigh / Segments;

    /// <summary>Share of segments clipped below; 0 when none was counted.</summary>
    public readonly double ClipFractionLow => Segments == 0 ? 0 : (double)ClippedLow / Segments;

    /// <summary>Mean ratio; 1 when none was counted.</summary>
    public readonly double RatioMean => Segments == 0 ? 1 : RatioSum / Segments;

    /// <summary>Mean over rows of ½Δ²; 0 when none was counted.</summary>
    public readonly double ApproximateKl => Rows == 0 ? 0 : KlSquareSum / Rows;

    /// <summary>Mean over rows of the k3 estimate; 0 when none was counted.</summary>
    public readonly double ApproximateKlK3 => Rows == 0 ? 0 : KlK3Sum / Rows;

    /// <summary>Adds another call of the same update.</summary>
    public void Add(in ObjectiveStatistics other)
    {
        LossPolicy += other.LossPolicy;
        LossKl += other.LossKl;
        Segments += other.Segments;
        Rows += other.Rows;
        ClippedHigh += other.ClippedHigh;
        ClippedLow += other.ClippedLow;
        RatioSum += other.RatioSum;
        RatioMin = Math.Min(RatioMin, other.RatioMin);
        RatioMax = Math.Max(RatioMax, other.RatioMax);
        KlSquareSum += other.KlSquareSum;
        KlK3Sum += other.KlK3Sum;
        RolloutMismatch = Math.Max(RolloutMismatch, other.RolloutMismatch);
    }
}
