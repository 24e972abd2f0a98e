namespace CoGrpo.Runtime.Optimization;

/// <summary>
/// The clipped surrogate J of a log-ratio Λ and an advantage A: min(e^Λ A, clip(e^Λ) A), with an optional cap of the ratio for negative advantages.
/// </summary>
/// <param name="Low">The ratio counts from this on: 1 - ε.</param>
/// <param name="High">And up to this: 1 + ε.</param>
/// <param name="Cap">Largest ratio that counts when the advantage is negative, where the clip alone leaves the loss unbounded; infinite for
/// none.</param>
/// <param name="LogRatioClamp">Log-ratios beyond ± this are cut, with zero gradient, before the exponential.</param>
public readonly record struct ClippedSurrogate(double Low, double High, double Cap, double LogRatioClamp)
{
    /// <summary>e^Λ, Λ cut.</summary>
    public double Ratio(double logRatio) => Math.Exp(Math.Clamp(logRatio, -LogRatioClamp, LogRatioClamp));

    /// <summary>J and dJ/dΛ; the gradient is 0 where the clamp of Λ, the cap or the chosen clipped branch acts.</summary>
    /// <param name="logRatio">Λ.</param>
    /// <param name="advantage">A.</param>
    /// <param name="slope">dJ/dΛ.</param>
    /// <param name="clipped">Whether the clipped branch is strictly the smaller one.</param>
    public double Value(double logRatio, double advantage, out double slope, out bool clipped)
    {
        double ratio = Ratio(logRatio);
        double capped = advantage < 0 ? Math.Min(ratio, Cap) : ratio;
        double free = capped * advantage;
        double bounded = Math.Clamp(ratio, Low, High) * advantage;
        clipped = bounded < free;
        bool flat = clipped || capped != ratio || Math.Abs(logRatio) > LogRatioClamp;
        slope = flat ? 0 : free;
        return clipped ? bounded : free;
    }
}
