using CoGrpo.Runtime.Optimization;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl;

/// <summary>
/// The trajectory-level clipped objective for both policies. Per segment (trajectory, step) with log-ratio Λ, the sum over its rows:
/// J = min(e^Λ A, clip(e^Λ, 1-ε, 1+ε) A); loss = -(1/normaliser) Σ w J + β (1/normaliser) Σ_rows w k3. Gives the gradient with
/// respect to each row's log-probability (or each policy mean), which the backward pass takes upstream. fp64 inside, sums in row
/// order, no allocation. An empty segment has ratio 1: it adds -wA to the sum and nothing to a gradient.
/// </summary>
public sealed class ClippedObjective
{
    /// <summary>An objective with the given settings.</summary>
    /// <exception cref="ArgumentException">A value is out of range.</exception>
    public ClippedObjective(ObjectiveSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        settings.Validate();
        Settings = settings;
        Surrogate = new ClippedSurrogate(
            1 - settings.Clip,
            1 + (settings.ClipHigh ?? settings.Clip),
            settings.RatioCap ?? double.PositiveInfinity,
            settings.LogRatioClamp
        );
    }

    /// <summary>The settings it was made from.</summary>
    public ObjectiveSettings Settings { get; }

    /// <summary>J as a function of log-ratio and advantage.</summary>
    public ClippedSurrogate Surrogate { get; }

    /// <summary>Loss of decoded codes and its gradient with respect to their log-probabilities.</summary>
    /// <param name="tokens">Rows.</param>
    /// <param name="segments">Segments.</param>
    /// <param name="output">Per-segment results.</param>
    /// <param name="upstream">[R] dLoss/dlogProb out, ready for the log-probability's backward operation.</param>
    /// <exception cref="ArgumentException">Lengths disagree, or old or reference log-probabilities are missing.</exception>
    public ObjectiveStatistics Tokens(in TokenInput tokens, in SegmentInput segments, in SegmentOutput output, Span<float> upstream)
    {
        int rows = tokens.LogProb.Length;
        bool stored = !tokens.OldLogProb.IsEmpty;
        bool penalised = Settings.KlWeight > 0;
        CheckSegments(segments, output);
        Check(
            tokens.Segments.Length == rows && upstream.Length == rows && (!stored || tokens.OldLogProb.Length == rows),
            "rows of equal length",
            rows
        );
        Check(stored || Settings.OnPolicy || rows == 0, "the rollout's log-probabilities in stored mode", 0);
        Check(!penalised || tokens.ReferenceLogProb.Length == rows, "reference log-probabilities with a KL weight", tokens.ReferenceLogProb.Length);

        ObjectiveStatistics statistics = ObjectiveStatistics.Empty;
        output.LogRatios.Clear();
        if (stored)
        {
            for (int r = 0; r < rows; r++)
            {
                output.LogRatios[tokens.Segments[r]] += (double)tokens.LogProb[r] - tokens.OldLogProb[r];
            }
        }

        // The slope dJ/dΛ of each segment waits in Ratios until the rows have taken it.
        for (int s = 0; s < segments.Advantages.Length; s++)
        {
            CountSegment(s, segments, output, ref statistics, out double slope);
            output.Ratios[s] = -slope * segments.Weights[s] / segments.Normalizer;
        }

        double kl = 0;
        for (int r = 0; r < rows; r++)
        {
            int s = tokens.Segments[r];
            double weight = segments.Weights[s];
            double gradient = output.Ratios[s];
            if (penalised)
            {
                double d = (double)tokens.ReferenceLogProb[r] - tokens.LogProb[r];
                double cut = Math.Clamp(d, -Settings.LogRatioClamp, Settings.LogRatioClamp);
                kl += weight * (Math.Exp(cut) - cut - 1);
                gradient += cut == d ? Settings.KlWeight * weight / segments.Normalizer * (1 - Math.Exp(d)) : 0;
            }

            upstream[r] = (float)gradient;
            if (weight != 0)
            {
                CountRow(stored ? (double)tokens.LogProb[r] - tokens.OldLogProb[r] : 0, ref statistics);
            }
        }

        statistics.LossKl = Settings.KlWeight * kl / segments.Normalizer;
        RestoreRatios(output);
        return statistics;
    }

    /// <summary>Loss of schedule actions and its gradient with respect to the policy means. The KL weight does not apply.</summary>
    /// <param name="actions">One action of four numbers per segment.</param>
    /// <param name="segments">Segments.</param>
    /// <param name="output">Per-segment results.</param>
    /// <param name="meanGradient">[S*4] dLoss/dη out.</param>
    /// <exception cref="ArgumentException">Lengths disagree, or the rollout's means are missing in stored mode.</exception>
    public ObjectiveStatistics Actions(in ActionInput actions, in SegmentInput segments, in SegmentOutput output, Span<float> meanGradient)
    {
        const int Dimensions = ScheduleAction.Count;
        int count = segments.Advantages.Length;
        bool stored = !actions.OldMeans.IsEmpty;
        CheckSegments(segments, output);
        Check(
            actions.RawActions.Length == count * Dimensions
                && actions.Means.Length == count * Dimensions
                && meanGradient.Length == count * Dimensions
                && actions.LastStep.Length == count
                && actions.Sigma.Length == Dimensions
                && (!stored || actions.OldMeans.Length == count * Dimensions),
            "four numbers per segment",
            count
        );
        Check(stored || Settings.OnPolicy || count == 0, "the rollout's means in stored mode", 0);

        ObjectiveStatistics statistics = ObjectiveStatistics.Empty;
        Span<double> gradient = stackalloc double[Dimensions];
        for (int s = 0; s < count; s++)
        {
            int at = s * Dimensions;
            ReadOnlySpan<double> raw = actions.RawActions.Slice(at, Dimensions);
            ReadOnlySpan<double> mean = actions.Means.Slice(at, Dimensions);
            double logRatio = stored
                ? GaussianPolicy.LogRatio(raw, mean, actions.OldMeans.Slice(at, Dimensions), actions.Sigma, actions.LastStep[s])
                : 0;
            output.LogRatios[s] = logRatio;
            CountSegment(s, segments, output, ref statistics, out double slope);
            GaussianPolicy.Gradient(raw, mean, actions.Sigma, actions.LastStep[s], gradient);
            double scale = -slope * segments.Weights[s] / segments.Normalizer;
            for (int k = 0; k < Dimensions; k++)
            {
                meanGradient[at + k] = (float)(scale * gradient[k]);
            }

            if (segments.Weights[s] != 0)
            {
                CountRow(logRatio, ref statistics);
            }
        }

        RestoreRatios(output);
        return statistics;
    }

    // On-policy, the log-ratio against the rollout is only looked at; the one that counts is 0.
    private void CountSegment(int s, in SegmentInput segments, in SegmentOutput output, ref ObjectiveStatistics statistics, out double slope)
    {
        double seen = output.LogRatios[s];
        double logRatio = Settings.OnPolicy ? 0 : seen;
        double weight = segments.Weights[s];
        double surrogate = Surrogate.Value(logRatio, segments.Advantages[s], out slope, out bool clipped);
        output.LogRatios[s] = logRatio;
        output.Surrogates[s] = surrogate;
        output.Clipped[s] = clipped ? (byte)1 : (byte)0;
        statistics.LossPolicy -= weight * surrogate / segments.Normalizer;
        if (weight == 0)
        {
            return;
        }

        double ratio = Surrogate.Ratio(logRatio);
        statistics.Segments++;
        statistics.RatioSum += ratio;
        statistics.RatioMin = Math.Min(statistics.RatioMin, ratio);
        statistics.RatioMax = Math.Max(statistics.RatioMax, ratio);
        statistics.RolloutMismatch = Math.Max(statistics.RolloutMismatch, Math.Abs(seen));
        bool capped = segments.Advantages[s] < 0 && ratio > Surrogate.Cap;
        statistics.ClippedHigh += (clipped && ratio > 1) || capped ? 1 : 0;
        statistics.ClippedLow += clipped && ratio < 1 ? 1 : 0;
    }

    private void CountRow(double delta, ref ObjectiveStatistics statistics)
    {
        double cut = Math.Clamp(delta, -Settings.LogRatioClamp, Settings.LogRatioClamp);
        statistics.Rows++;
        statistics.KlSquareSum += 0.5 * delta * delta;
        statistics.KlK3Sum += Math.Exp(cut) - cut - 1;
    }

    private void RestoreRatios(in SegmentOutput output)
    {
        for (int s = 0; s < output.Ratios.Length; s++)
        {
            output.Ratios[s] = Surrogate.Ratio(output.LogRatios[s]);
        }
    }

    private static void CheckSegments(in SegmentInput segments, in SegmentOutput output)
    {
        int count = segments.Advantages.Length;
        Check(
            segments.Weights.Length == count
                && output.LogRatios.Length == count
                && output.Ratios.Length == count
                && output.Surrogates.Length == count
                && output.Clipped.Length == count,
            "spans of one element per segment",
            count
        );
        Check(segments.Normalizer > 0, "a normaliser above 0", segments.Normalizer);
    }

    private static void Check(bool condition, string wanted, double got)
    {
        if (!condition)
        {
            throw new ArgumentException($"objective: wanted {wanted}, got {got}; check the spans against the segments");
        }
    }
}
