using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Training;

namespace CoGrpo.Tests.Rl;

/// <summary>Whole iterations of the trainer on a real model.</summary>
public class TrainerTests
{
    /// <summary>Every mode, and the schedule's actions one by one.</summary>
    public static TheoryData<TrainMode, int> Runs()
    {
        TheoryData<TrainMode, int> runs = [];
        foreach (TrainMode mode in Enum.GetValues<TrainMode>())
        {
            runs.Add(mode, -1);
        }

        for (int action = 0; action < 4; action++)
        {
            runs.Add(TrainMode.Schedule, action);
            runs.Add(TrainMode.Joint, action);
        }

        return runs;
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void EveryModeTrainsWhatItShould(TrainMode mode, int action)
    {
        bool[] trained = [.. Enumerable.Range(0, 4).Select(k => action < 0 || action == k)];
        using var run = new TinyRun(2, untrained: true, trained: trained);
        bool both = mode is TrainMode.CoGrpo;
        CoGrpoTrainer trainer = run.Trainer(run.Configuration(mode, both ? 1 : 2, both ? 1 : 2));
        float[] model = run.Read(run.Model.Transformer.Parameters.Values);
        float[] policy = run.Read(run.Policy.Parameters.Values);
        float[] text = run.Read(run.Model.TextEncoder.Parameters.Values);
        Assert.Equal(2, trainer.Plan.Count);
        for (int i = 0; i < 2; i++)
        {
            IterationMetrics metrics = trainer.Train();
            Assert.Equal(i + 1, metrics.Iteration);
            Assert.Equal(trainer.Plan[i] != Phase.Schedule, metrics.Model is not null);
            Assert.Equal(trainer.Plan[i] != Phase.Model, metrics.Schedule is not null);
            Assert.Equal(64, metrics.DecodedMean.Sum(), 1e-9);
            Assert.Equal(0, metrics.NonFiniteSteps);
            for (int k = 0; k < 4 && trainer.Plan[i] != Phase.Model; k++)
            {
                // Actions that are not trained do not vary between images; r is not an action at the last step.
                double spread = metrics.ActionDeviation[k];
                Assert.True(trained[k] ? spread > 1e-3 : spread < 1e-6, $"action {k}: {spread}");
            }
        }

        Assert.Throws<InvalidOperationException>(() => trainer.Train());
        Assert.Equal(mode != TrainMode.Schedule, !model.SequenceEqual(run.Read(run.Model.Transformer.Parameters.Values)));
        Assert.Equal(mode != TrainMode.Naive, !policy.SequenceEqual(run.Read(run.Policy.Parameters.Values)));
        Assert.Equal(text, run.Read(run.Model.TextEncoder.Parameters.Values));
        Assert.All(run.Read(run.Model.Transformer.Parameters.Values), w => Assert.True(float.IsFinite(w)));
    }

    [Theory]
    [InlineData(TrainMode.CoGrpo)]
    [InlineData(TrainMode.Joint)]
    public void TheSameSeedGivesTheSameWeightsToTheBit(TrainMode mode)
    {
        (float[] Model, float[] Policy) Run()
        {
            using var run = new TinyRun(2);
            CoGrpoTrainer trainer = run.Trainer(run.Configuration(mode));
            while (trainer.Iteration < trainer.Plan.Count)
            {
                trainer.Train();
            }

            return (run.Read(run.Model.Transformer.Parameters.Values), run.Read(run.Policy.Parameters.Values));
        }

        (float[] Model, float[] Policy) first = Run();
        (float[] Model, float[] Policy) second = Run();
        Assert.Equal(first.Model, second.Model);
        Assert.Equal(first.Policy, second.Policy);
    }

    [Fact]
    public void EqualRewardsChangeNoWeight()
    {
        using var run = new TinyRun();
        CoGrpoTrainer trainer = run.Trainer(run.Configuration(TrainMode.Joint, 2, 2), new ConstantReward());
        float[] model = run.Read(run.Model.Transformer.Parameters.Values);
        float[] policy = run.Read(run.Policy.Parameters.Values);
        for (int i = 0; i < 2; i++)
        {
            IterationMetrics metrics = trainer.Train();
            Assert.Equal(metrics.Groups, metrics.ZeroGroups[0]);
            Assert.Equal(0, metrics.AdvantageMaximum);
            Assert.Equal((0.0, 0.0), (metrics.Model!.Value.GradientNorm, metrics.Schedule!.Value.GradientNorm));
            Assert.Equal(0, metrics.NonFiniteSteps);
        }

        Assert.Equal(model, run.Read(run.Model.Transformer.Parameters.Values));
        Assert.Equal(policy, run.Read(run.Policy.Parameters.Values));
    }

    [Fact]
    public void SeveralUpdatesPerRolloutClip()
    {
        using var run = new TinyRun();
        RunConfiguration configuration = run.Configuration(TrainMode.Joint, 1, 1, learningRate: 5e-3);
        configuration = configuration with
        {
            Train = configuration.Train with
            {
                Model = configuration.Train.Model with { UpdatesPerRollout = 2 },
                Schedule = configuration.Train.Schedule with { UpdatesPerRollout = 3 },
            },
        };
        IterationMetrics metrics = run.Trainer(configuration).Train();
        Assert.True(metrics.Model!.Value.Objective.ClippedHigh + metrics.Model.Value.Objective.ClippedLow > 0);
        Assert.True(metrics.Schedule!.Value.Objective.ClippedHigh + metrics.Schedule.Value.Objective.ClippedLow > 0);
    }
}
