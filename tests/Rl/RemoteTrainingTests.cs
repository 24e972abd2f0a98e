using CoGrpo.Model;
using CoGrpo.Rl;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Rewards;
using CoGrpo.Rl.Training;
using CoGrpo.Tests.Rl.Prompts;
using CoGrpo.Tests.Rl.Rewards;

namespace CoGrpo.Tests.Rl;

/// <summary>Pictures that are sent to a server while others are sampled: the same training, whatever lanes and micro-batches, and a server that fails changes nothing.</summary>
public sealed class RemoteTrainingTests
{
    [Theory]
    [InlineData(1, 4)]
    [InlineData(1, 1)]
    [InlineData(2, 3)]
    public void Training_with_a_served_reward_is_training_with_the_reward(int lanes, int microBatch)
    {
        using ServedReward served = new(new BrightnessReward());
        using RemoteReward remote = served.Client(2);
        (double[] Scores, float[] Weights) expected = Trained(new BrightnessReward(), lanes, microBatch), actual = Trained(remote, lanes, microBatch);
        Assert.Equal(expected.Scores, actual.Scores);
        Assert.Equal(expected.Weights, actual.Weights);

        // Two iterations of eight pictures: a micro-batch is sent by itself, in requests of at most two.
        Assert.Equal(2 * (microBatch == 1 ? 8 : lanes == 1 ? 4 : 6), served.Log.Count);
    }

    [Fact]
    public void A_server_that_fails_leaves_the_weights_as_they_were()
    {
        using TinyRun run = new();
        using RawServer server = new(RawServer.Http("""{"scores":[NaN]}"""));
        using var remote = new RemoteReward("remote", server.Url, 8, TimeSpan.FromSeconds(20), 0);
        using CoGrpoTrainer trainer = Trainer(run, remote);
        float[] before = run.Read(run.Model.Transformer.Trained.Values);
        Assert.Contains("no JSON object", Assert.Throws<ModelException>(trainer.Train).Message, StringComparison.Ordinal);
        Assert.Equal((0, 0), (trainer.Iteration, trainer.Model.Optimizer.Steps));
        Assert.Equal(before, run.Read(run.Model.Transformer.Trained.Values));
    }

    private static (double[] Scores, float[] Weights) Trained(IReward reward, int lanes, int microBatch)
    {
        using TinyRun run = new(lanes, microBatch);
        using CoGrpoTrainer trainer = Trainer(run, reward);
        List<double> scores = [];
        foreach (int _ in (int[])[1, 2])
        {
            IterationMetrics metrics = trainer.Train();
            scores.AddRange([metrics.RewardMean[1], metrics.RewardDeviation[1], metrics.RewardMinimum[1], metrics.RewardMaximum[1], metrics.AdvantageMean]);
        }

        Assert.All(scores, score => Assert.True(double.IsFinite(score) && score != 0));
        return ([.. scores], [.. run.Read(run.Model.Transformer.Trained.Values), .. run.Read(run.Policy.Parameters.Values)]);
    }

    /// <summary>A model and a schedule iteration with a reward at home in front of the one under test.</summary>
    private static CoGrpoTrainer Trainer(TinyRun run, IReward reward)
    {
        RunConfiguration configuration = run.Configuration(TrainMode.CoGrpo);
        configuration = configuration with
        {
            Train = configuration.Train with
            {
                Model = configuration.Train.Model with { Batch = 8 },
                Schedule = configuration.Train.Schedule with { Batch = 8 },
                Rewards = [new() { Name = RewardName.Adherence, Weight = 0.5 }, new() { Name = RewardName.Fidelity, Weight = 0.5 }],
            },
        };
        return new CoGrpoTrainer(configuration, run.Lanes, run.World, [new CodeShareReward(), reward], new GreyPictures(), null);
    }
}
