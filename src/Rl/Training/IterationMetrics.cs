using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Training;

/// <summary>Everything one iteration measured (specs/grpo.md 5); one object reused from iteration to iteration.</summary>
public sealed class IterationMetrics
{
    /// <summary>Room for K rewards and T steps.</summary>
    public IterationMetrics(IReadOnlyList<string> rewards, int steps)
    {
        Rewards = rewards;
        RewardMean = new double[rewards.Count];
        RewardDeviation = new double[rewards.Count];
        RewardGroupDeviation = new double[rewards.Count];
        RewardMinimum = new double[rewards.Count];
        RewardMaximum = new double[rewards.Count];
        ZeroGroups = new int[rewards.Count];
        DecodedMean = new double[steps];
        ActionMean = new double[steps * ScheduleAction.Count];
        ActionDeviation = new double[steps * ScheduleAction.Count];
    }

    /// <summary>Names of the rewards, in order.</summary>
    public IReadOnlyList<string> Rewards { get; }

    /// <summary>Number of the iteration, from 1.</summary>
    public long Iteration { get; set; }

    /// <summary>Which phase it was.</summary>
    public Phase Phase { get; set; }

    /// <summary>[K] mean over the batch.</summary>
    public double[] RewardMean { get; }

    /// <summary>[K] standard deviation over the batch.</summary>
    public double[] RewardDeviation { get; }

    /// <summary>[K] mean of the standard deviations within groups.</summary>
    public double[] RewardGroupDeviation { get; }

    /// <summary>[K] smallest.</summary>
    public double[] RewardMinimum { get; }

    /// <summary>[K] largest.</summary>
    public double[] RewardMaximum { get; }

    /// <summary>[K] groups whose rewards are all equal.</summary>
    public int[] ZeroGroups { get; }

    /// <summary>Groups of the batch.</summary>
    public int Groups { get; set; }

    /// <summary>Mean of the held-out judge on the rollout's pictures; watched, never trained on. NaN when there is no judge.</summary>
    public double Judge { get; set; } = double.NaN;

    /// <summary>How different the pictures within groups are, in [0,1]; watched, never trained on. NaN where it is not measured.</summary>
    public double Diversity { get; set; } = double.NaN;

    /// <summary>Mean |A|.</summary>
    public double AdvantageMean { get; set; }

    /// <summary>Largest |A|.</summary>
    public double AdvantageMaximum { get; set; }

    /// <summary>What the model update measured, if there was one.</summary>
    public PhaseMetrics? Model { get; set; }

    /// <summary>What the schedule update measured, if there was one.</summary>
    public PhaseMetrics? Schedule { get; set; }

    /// <summary>[T] mean number of codes decoded per step.</summary>
    public double[] DecodedMean { get; }

    /// <summary>[T,4] mean of the used actions r, τ_s, τ_r, s.</summary>
    public double[] ActionMean { get; }

    /// <summary>[T,4] standard deviation of the used actions over the batch.</summary>
    public double[] ActionDeviation { get; }

    /// <summary>Root mean square of the policy's means δ.</summary>
    public double DeltaNorm { get; set; }

    /// <summary>Share of actions that hit an environment clamp.</summary>
    public double ClampRate { get; set; }

    /// <summary>Seconds of the rollout, decoding included.</summary>
    public double RolloutSeconds { get; set; }

    /// <summary>Seconds of scoring.</summary>
    public double RewardSeconds { get; set; }

    /// <summary>Seconds of the updates.</summary>
    public double UpdateSeconds { get; set; }

    /// <summary>Bytes reserved by the work memory of all lanes.</summary>
    public long ReservedBytes { get; set; }

    /// <summary>Updates left out so far because a gradient was not finite.</summary>
    public long NonFiniteSteps { get; set; }

    /// <summary>Forward-pass equivalents of this iteration (one branch, one sample, one step; backward counts 2), specs/grpo.md 7.</summary>
    public double ForwardEquivalents { get; set; }

    /// <summary>All metrics as name and value, for logs.</summary>
    public IEnumerable<KeyValuePair<string, double>> Flatten()
    {
        for (int k = 0; k < Rewards.Count; k++)
        {
            string name = Rewards[k];
            yield return new($"reward/{name}/mean", RewardMean[k]);
            yield return new($"reward/{name}/std", RewardDeviation[k]);
            yield return new($"reward/{name}/group_std", RewardGroupDeviation[k]);
            yield return new($"reward/{name}/min", RewardMinimum[k]);
            yield return new($"reward/{name}/max", RewardMaximum[k]);
            yield return new($"reward/{name}/zero_groups", ZeroGroups[k] / (double)Groups);
        }

        if (!double.IsNaN(Judge))
        {
            yield return new("heldout/judge", Judge);
        }

        if (!double.IsNaN(Diversity))
        {
            yield return new("heldout/diversity", Diversity);
        }

        yield return new("advantage/mean_abs", AdvantageMean);
        yield return new("advantage/max_abs", AdvantageMaximum);
        foreach ((string prefix, PhaseMetrics? phase) in new[] { ("model", Model), ("schedule", Schedule) })
        {
            if (phase is not { } p)
            {
                continue;
            }

            yield return new($"{prefix}/loss", p.Objective.Loss);
            yield return new($"{prefix}/loss_kl", p.Objective.LossKl);
            yield return new($"{prefix}/grad_norm", p.GradientNorm);
            yield return new($"{prefix}/lr", p.LearningRate);
            yield return new($"{prefix}/ratio_mean", p.Objective.RatioMean);
            yield return new($"{prefix}/ratio_min", p.Objective.RatioMin);
            yield return new($"{prefix}/ratio_max", p.Objective.RatioMax);
            yield return new($"{prefix}/rollout_mismatch", p.Objective.RolloutMismatch);
            yield return new($"{prefix}/clip_high", p.Objective.ClipFractionHigh);
            yield return new($"{prefix}/clip_low", p.Objective.ClipFractionLow);
            yield return new($"{prefix}/kl_rollout", p.Objective.ApproximateKl);
            yield return new($"{prefix}/kl_rollout_k3", p.Objective.ApproximateKlK3);
        }

        if (Model is { } model)
        {
            yield return new("model/log_prob", model.LogProbSum / Math.Max(1, model.Objective.Rows));
            yield return new("model/grad_conditional", Math.Sqrt(model.ConditionalGradientSquares));
            yield return new("model/grad_unconditional", Math.Sqrt(model.UnconditionalGradientSquares));
            for (int q = 0; q < 4; q++)
            {
                yield return new($"model/entropy_q{q + 1}", model.EntropySum[q] / Math.Max(1, model.EntropyRows[q]));
            }
        }

        string[] actions = ["r", "tau_s", "tau_r", "s"];
        for (int t = 0; t < DecodedMean.Length; t++)
        {
            yield return new($"decoded/step{t}", DecodedMean[t]);
            for (int k = 0; k < ScheduleAction.Count; k++)
            {
                yield return new($"action/{actions[k]}/step{t}", ActionMean[(t * ScheduleAction.Count) + k]);
                yield return new($"action/{actions[k]}_std/step{t}", ActionDeviation[(t * ScheduleAction.Count) + k]);
            }
        }

        yield return new("policy/delta_rms", DeltaNorm);
        yield return new("policy/clamp_rate", ClampRate);
        yield return new("time/rollout", RolloutSeconds);
        yield return new("time/reward", RewardSeconds);
        yield return new("time/update", UpdateSeconds);
        yield return new("compute/forward_equivalents", ForwardEquivalents);
        yield return new("memory/reserved_mib", ReservedBytes / 1048576.0);
        yield return new("nonfinite_steps", NonFiniteSteps);
    }
}
