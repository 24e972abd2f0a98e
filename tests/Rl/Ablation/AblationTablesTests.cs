using CoGrpo.Rl.Ablation;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Training;

namespace CoGrpo.Tests.Rl.Ablation;

/// <summary>The arms of the paper's tables on the presets.</summary>
public sealed class AblationTablesTests
{
    [Fact]
    public void Step_counts_of_the_paper_preset_are_the_papers()
    {
        IReadOnlyList<AblationTable> tables = AblationTables.Of(Presets.Of(PresetName.Paper), ["5b", "2"]);
        Assert.Equal(["2", "5b"], tables.Select(table => table.Id));
        Assert.Equal([16, 48], tables[0].Steps);
        Assert.Equal([8, 16, 32, 48, 64], tables[1].Steps);
        Assert.Contains(tables[0].Arms, arm => arm.Overrides.Contains("sampling.handMade.cosineExponent=1.5"));
    }

    /// <summary>
    /// Every arm can be run, is scored wherever a table shows it, and is the same in all of them; those that train differ in work by less than an
    /// iteration.
    /// </summary>
    [Fact]
    public void Arms_are_valid_shared_and_of_equal_work()
    {
        RunConfiguration configuration = ConfigurationLoader.Parse("{}", "preset");
        IReadOnlyList<AblationTable> tables = AblationTables.Of(configuration, [.. AblationTables.Ids]);
        Assert.Equal(AblationTables.Ids, tables.Select(table => table.Id));
        double budget = Work(configuration);
        var modes = new HashSet<TrainMode>();
        foreach (
            IGrouping<string, (AblationTable Table, AblationArm Arm)> arm in tables
                .SelectMany(table => table.Arms.Select(arm => (table, arm)))
                .GroupBy(pair => pair.arm.Key)
        )
        {
            foreach ((AblationTable table, AblationArm same) in arm)
            {
                Assert.Equal(arm.First().Arm.Overrides, same.Overrides);
                Assert.Equal(arm.First().Arm.Steps, same.Steps);
                Assert.Subset(new HashSet<int>(same.Steps), new HashSet<int>(table.Steps));
            }

            RunConfiguration changed = ConfigurationLoader.Parse("{}", "preset", arm.First().Arm.Overrides);
            double work = Work(changed);
            if (work > 0)
            {
                double largest = TrainingPlan
                    .Of(changed.Train)
                    .Max(phase => IterationCost.ForwardEquivalents(changed.Train, changed.Sampling.Steps, phase, guided: true));
                Assert.True(Math.Abs(work - budget) <= largest / 2, $"{arm.Key}: {work} beside {budget}");
                modes.Add(changed.Train.Mode);
            }
        }

        Assert.Equal(4, modes.Count);
    }

    [Fact]
    public void A_configuration_that_trains_one_of_the_two_is_refused_where_work_is_compared()
    {
        RunConfiguration naive = ConfigurationLoader.Parse("{}", "preset", "train.mode=naive", "train.cycles=[{\"model\":3}]");
        Assert.Single(AblationTables.Of(naive, ["2"]));
        Assert.Contains(
            "found 3 and 0",
            Assert.Throws<ConfigurationException>(() => AblationTables.Of(naive, ["5b"])).Message,
            StringComparison.Ordinal
        );
    }

    /// <summary>The table of specs/grpo.md 7, T = 48.</summary>
    [Theory]
    [InlineData(Phase.Model, GuidanceGradient.Both, 0, true, 36_864)]
    [InlineData(Phase.Model, GuidanceGradient.DetachUncond, 0, true, 27_648)]
    [InlineData(Phase.Model, GuidanceGradient.None, 0, true, 23_040)]
    [InlineData(Phase.Model, GuidanceGradient.Both, 12, true, 16_128)]
    [InlineData(Phase.Joint, GuidanceGradient.DetachUncond, 12, true, 13_824)]
    [InlineData(Phase.Model, GuidanceGradient.Both, 0, false, 18_432)]
    [InlineData(Phase.Schedule, GuidanceGradient.Both, 0, true, 24_576)]
    public void Work_of_an_iteration_is_the_specifications(Phase phase, GuidanceGradient gradient, int trained, bool guided, double expected)
    {
        var train = new TrainConfiguration
        {
            Model = new()
            {
                Batch = 96,
                StepsTrained = trained,
                CfgGrad = gradient,
            },
            Schedule = new() { Batch = 256 },
        };
        Assert.Equal(expected, IterationCost.ForwardEquivalents(train, 48, phase, guided));
    }

    private static double Work(RunConfiguration configuration) =>
        TrainingPlan
            .Of(configuration.Train)
            .Sum(phase => IterationCost.ForwardEquivalents(configuration.Train, configuration.Sampling.Steps, phase, guided: true));
}
