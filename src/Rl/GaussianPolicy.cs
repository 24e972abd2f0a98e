using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl;

/// <summary>
/// The diagonal Gaussian over raw schedule actions: four dimensions in the order r, τ_s, τ_r, s, of which r and τ_r do not count at the
/// last step. The links' Jacobian cancels in the ratio as long as raw actions are used throughout. fp64.
/// </summary>
public static class GaussianPolicy
{
    private const double HalfLogTwoPi = 0.91893853320467274178;

    /// <summary>Σ over effective dimensions of -(a-η)²/2σ² - ln σ - ½ ln 2π.</summary>
    public static double LogProb(ReadOnlySpan<double> raw, ReadOnlySpan<double> mean, ReadOnlySpan<double> sigma, bool lastStep)
    {
        double sum = 0;
        for (int k = 0; k < ScheduleAction.Count; k++)
        {
            if (IsEffective(k, lastStep))
            {
                double z = (raw[k] - mean[k]) / sigma[k];
                sum += (-0.5 * z * z) - Math.Log(sigma[k]) - HalfLogTwoPi;
            }
        }

        return sum;
    }

    /// <summary>
    /// log π(a|η) - log π(a|η_old) as Σ (η-η_old)(2a-η_old-η)/2σ²: no difference of large numbers, and exactly 0 when the mean has not moved.
    /// </summary>
    public static double LogRatio(
        ReadOnlySpan<double> raw,
        ReadOnlySpan<double> mean,
        ReadOnlySpan<double> oldMean,
        ReadOnlySpan<double> sigma,
        bool lastStep
    )
    {
        double sum = 0;
        for (int k = 0; k < ScheduleAction.Count; k++)
        {
            if (IsEffective(k, lastStep))
            {
                sum += (mean[k] - oldMean[k]) * ((2 * raw[k]) - oldMean[k] - mean[k]) / (2 * sigma[k] * sigma[k]);
            }
        }

        return sum;
    }

    /// <summary>d log π/dη_k = (a_k-η_k)/σ_k², 0 in a dimension without effect.</summary>
    public static void Gradient(ReadOnlySpan<double> raw, ReadOnlySpan<double> mean, ReadOnlySpan<double> sigma, bool lastStep, Span<double> gradient)
    {
        for (int k = 0; k < ScheduleAction.Count; k++)
        {
            gradient[k] = IsEffective(k, lastStep) ? (raw[k] - mean[k]) / (sigma[k] * sigma[k]) : 0;
        }
    }

    private static bool IsEffective(int dimension, bool lastStep) => !lastStep || ScheduleParametrization.IsEffective(dimension, 0, 1);
}
