using CoGrpo.Rl.Configuration;

namespace CoGrpo.Rl.Training;

/// <summary>
/// The phase of every iteration of a run: in each cycle N_m model iterations, then N_s schedule iterations (specs/grpo.md 6.6), as far as the mode
/// trains them.
/// </summary>
public static class TrainingPlan
{
    /// <summary>One entry per iteration.</summary>
    public static IReadOnlyList<Phase> Of(TrainConfiguration train)
    {
        var plan = new List<Phase>();
        foreach (CycleConfiguration cycle in train.Cycles)
        {
            switch (train.Mode)
            {
                case TrainMode.Joint:
                    plan.AddRange(Enumerable.Repeat(Phase.Joint, cycle.Model));
                    break;
                case TrainMode.Naive:
                    plan.AddRange(Enumerable.Repeat(Phase.Model, cycle.Model));
                    break;
                case TrainMode.Schedule:
                    plan.AddRange(Enumerable.Repeat(Phase.Schedule, cycle.Schedule));
                    break;
                default:
                    plan.AddRange(Enumerable.Repeat(Phase.Model, cycle.Model));
                    plan.AddRange(Enumerable.Repeat(Phase.Schedule, cycle.Schedule));
                    break;
            }
        }

        return plan;
    }
}
