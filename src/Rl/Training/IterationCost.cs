using CoGrpo.Rl.Configuration;

namespace CoGrpo.Rl.Training;

/// <summary>
/// The work of an iteration in forward-pass equivalents: one branch, one sample, one step; a backward pass counts 2 (specs/grpo.md 7).
/// </summary>
public static class IterationCost
{
    /// <summary>
    /// Rollout and updates of one iteration of <paramref name="phase"/> in T = <paramref name="steps"/> steps; the policy's own work, under one
    /// percent, is left out.
    /// </summary>
    /// <param name="train">Batch sizes, trained steps and how guidance enters the gradient.</param>
    /// <param name="steps">T.</param>
    /// <param name="phase">Who is trained.</param>
    /// <param name="guided">Whether the rollout has an unconditional branch.</param>
    public static double ForwardEquivalents(TrainConfiguration train, int steps, Phase phase, bool guided)
    {
        ArgumentNullException.ThrowIfNull(train);
        double images = phase == Phase.Schedule ? train.Schedule.Batch : train.Model.Batch;
        double rollout = images * steps * (guided ? 2 : 1);
        if (phase == Phase.Schedule)
        {
            return rollout;
        }

        int trained = train.Model.StepsTrained is > 0 and var some && some < steps ? some : steps;
        double perStep =
            guided && train.Model.CfgGrad == GuidanceGradient.Both ? 6
            : guided && train.Model.CfgGrad == GuidanceGradient.DetachUncond ? 4
            : 3;
        return rollout + (images * trained * perStep * train.Model.UpdatesPerRollout);
    }
}
