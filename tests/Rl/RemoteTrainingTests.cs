using System.Runtime.CompilerServices;
using CoGrpo.Model;
using CoGrpo.Model.Images;
using CoGrpo.Rl;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Prompts;
using CoGrpo.Rl.Rewards;
using CoGrpo.Rl.Training;
using CoGrpo.Tests.Rl.Prompts;
using CoGrpo.Tests.Rl.Rewards;

namespace CoGrpo.Tests.Rl;

/// <summary>
/// Pictures that are sent to a server while others are sampled: the same training, whatever lanes and micro-batches, and a server that fails changes
/// nothing.
/// </summary>
public sealed class RemoteTrainingTests
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

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
        Assert.Contains("no JSON object", Assert.Throws<ModelException>(() => trainer.Train()).Message, StringComparison.Ordinal);
        Assert.Equal((0, 0), (trainer.Iteration, trainer.Model.Optimizer.Steps));
        Assert.Equal(before, run.Read(run.Model.Transformer.Trained.Values));
    }

    /// <summary>The server is silent until the iteration was abandoned; the same iteration is then made as if nothing had been.</summary>
    [Theory]
    [InlineData(1, 4)]
    [InlineData(2, 1)]
    public void An_iteration_that_is_interrupted_while_a_server_is_silent_is_made_again_to_the_same_bits(int lanes, int microBatch)
    {
        using var interruption = new CancellationTokenSource();
        using var speaks = new ManualResetEventSlim();
        using ServedReward served = new(new BrightnessReward
        {
            Asked = () =>
            {
                interruption.Cancel();
                speaks.Wait(Longest);
            },
        });
        using var remote = new RemoteReward("remote", served.Url, 2, Longest, 0);
        using TinyRun run = new(lanes, microBatch);
        using CoGrpoTrainer trainer = Trainer(run, remote);
        float[] before = run.Read(run.Model.Transformer.Trained.Values);
        Assert.ThrowsAny<OperationCanceledException>(() => trainer.Train(interruption.Token));
        Assert.Equal((0, 0), (trainer.Iteration, trainer.Model.Optimizer.Steps));
        Assert.Equal(before, run.Read(run.Model.Transformer.Trained.Values));
        speaks.Set();
        (double[] Scores, float[] Weights) expected = Trained(new BrightnessReward(), lanes, microBatch), actual = Trained(run, trainer);
        Assert.Equal(expected.Scores, actual.Scores);
        Assert.Equal(expected.Weights, actual.Weights);
    }

    [Fact]
    public async Task Nothing_that_was_sent_outlives_an_iteration_that_failed()
    {
        var asked = new TaskCompletionSource();
        var left = new TaskCompletionSource();
        using RawServer server = new(async (stream, _, stop) =>
        {
            asked.TrySetResult();
            try
            {
                Assert.Equal(0, await stream.ReadAsync(new byte[1], stop));
            }
            catch (IOException)
            {
                // The client may also leave without a word.
            }

            left.TrySetResult();
        });
        using var remote = new RemoteReward("remote", server.Url, 8, TimeSpan.FromHours(1), 0);
        using TinyRun run = new();
        using CoGrpoTrainer trainer = Trainer(run, remote, _ =>
        {
            Assert.True(asked.Task.Wait(Longest));
            throw new InvalidOperationException("sampling broke");
        });
        Assert.Equal("sampling broke", Assert.Throws<InvalidOperationException>(() => trainer.Train()).Message);
        await left.Task.WaitAsync(Longest);
    }

    /// <summary>Of several requests that fail the first is told; the others are known to have failed too.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void No_failure_is_left_unobserved(bool ahead)
    {
        using RawServer server = new(RawServer.Http("""{"scores":[NaN]}"""));
        List<Exception> unobserved = [];
        void Keep(object? sender, UnobservedTaskExceptionEventArgs failure)
        {
            lock (unobserved)
            {
                unobserved.Add(failure.Exception);
            }
        }

        TaskScheduler.UnobservedTaskException += Keep;
        try
        {
            Fail(server.Url, ahead);
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= Keep;
        }

        // Other tests may leave failures of their own.
        lock (unobserved)
        {
            Assert.DoesNotContain(unobserved, failure => failure.ToString().Contains(server.Url.ToString(), StringComparison.Ordinal));
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Fail(Uri url, bool ahead)
    {
        using var remote = new RemoteReward("remote", url, 1, Longest, 0);
        if (!ahead)
        {
            Assert.Throws<ModelException>(() =>
                remote.Score(
                    new RewardBatch([.. "abc".Select(c => new TextPrompt($"{c}"))], [.. "abc".Select(_ => new RgbImage(2, 2))]),
                    new double[3]
                )
            );
            return;
        }

        using TinyRun run = new(sampleMicroBatch: 1);
        using CoGrpoTrainer trainer = Trainer(run, remote);
        Assert.Throws<ModelException>(() => trainer.Train());
    }

    private static (double[] Scores, float[] Weights) Trained(IReward reward, int lanes, int microBatch)
    {
        using TinyRun run = new(lanes, microBatch);
        using CoGrpoTrainer trainer = Trainer(run, reward);
        return Trained(run, trainer);
    }

    private static (double[] Scores, float[] Weights) Trained(TinyRun run, CoGrpoTrainer trainer)
    {
        List<double> scores = [];
        foreach (int _ in (int[])[1, 2])
        {
            IterationMetrics metrics = trainer.Train();
            scores.AddRange([
                metrics.RewardMean[1],
                metrics.RewardDeviation[1],
                metrics.RewardMinimum[1],
                metrics.RewardMaximum[1],
                metrics.AdvantageMean,
            ]);
        }

        Assert.All(scores, score => Assert.True(double.IsFinite(score) && score != 0));
        return ([.. scores], [.. run.Read(run.Model.Transformer.Trained.Values), .. run.Read(run.Policy.Parameters.Values)]);
    }

    /// <summary>A model and a schedule iteration with a reward at home in front of the one under test.</summary>
    private static CoGrpoTrainer Trainer(TinyRun run, IReward reward, Action<Trajectories>? sampled = null)
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
        return new CoGrpoTrainer(configuration, run.Lanes, run.World, [new CodeShareReward(), reward], new GreyPictures(), null)
        {
            Sampled = sampled,
        };
    }
}
