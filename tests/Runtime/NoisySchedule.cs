using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Randomness;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Tests.Runtime;

/// <summary>A learned-style schedule: raw actions from noise addressed by trajectory, plus a term from the features when asked for.</summary>
internal sealed class NoisySchedule(ScheduleParametrization parametrization, double scale, IBackend? features = null) : ISchedule
{
    private readonly float[] _features = new float[64 * 12];

    public bool NeedsFeatures => features != null;

    public void Act(in ScheduleStep step, Tensor given, Span<ScheduleAction> actions)
    {
        Assert.Equal(NeedsFeatures, !given.IsNone);
        features?.Download(given, _features.AsSpan(0, actions.Length * 12));
        for (int b = 0; b < actions.Length; b++)
        {
            RandomSequence random = new(3, RandomStream.ScheduleExploration, ((ulong)step.Step << 32) | (uint)step.Trajectories[b]);
            Span<double> raw = step.RawActions.Slice(4 * b, 4);
            for (int k = 0; k < 4; k++)
            {
                raw[k] = scale * (random.NextNormal() + (0.05 * _features[(b * 12) + k]));
            }

            actions[b] = parametrization.Apply(ref step.States[b], step.Step, step.Steps, raw, out _);
        }
    }
}
