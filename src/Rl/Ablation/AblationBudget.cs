using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Training;

namespace CoGrpo.Rl.Ablation;

/// <summary>
/// Equal work for arms of different phases: each gets as many iterations as come closest to the forward equivalents of the configuration's own
/// cycles.
/// </summary>
internal sealed class AblationBudget
{
    private readonly RunConfiguration _configuration;
    private readonly double _total;

    /// <summary>The budget of a configuration.</summary>
    /// <exception cref="ConfigurationException">Its cycles do not train both model and schedule.</exception>
    public AblationBudget(RunConfiguration configuration)
    {
        _configuration = configuration;
        int model = configuration.Train.Cycles.Sum(cycle => cycle.Model);
        int schedule = configuration.Train.Cycles.Sum(cycle => cycle.Schedule);
        if (model == 0 || schedule == 0)
        {
            throw new ConfigurationException(
                "ablate",
                "train.cycles",
                "iterations of model and schedule, whose work every arm is given",
                $"{model} and {schedule}",
                "set train.mode=co-grpo and train.cycles as in configs/emoji-scenes.json"
            );
        }

        _total = (model * Cost(Phase.Model)) + (schedule * Cost(Phase.Schedule));
    }

    /// <summary>Iterations of one phase that fill the budget, at least one.</summary>
    public int Iterations(Phase phase) => Math.Max(1, (int)Math.Round(_total / Cost(phase), MidpointRounding.AwayFromZero));

    private double Cost(Phase phase) =>
        IterationCost.ForwardEquivalents(_configuration.Train, _configuration.Sampling.Steps, phase, _configuration.Sampling.HandMade.Guidance > 1);
}
