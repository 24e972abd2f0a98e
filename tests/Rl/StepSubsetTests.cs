using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Training;

namespace CoGrpo.Tests.Rl;

/// <summary>One uniform step per block with weight T/k, and the unbiased gradient that follows.</summary>
public class StepSubsetTests
{
    [Theory]
    [InlineData(8, 4)]
    [InlineData(12, 3)]
    [InlineData(48, 12)]
    public void EveryBlockGivesOneUniformStep(int steps, int trained)
    {
        const int Draws = 4000;
        int block = steps / trained;
        int[] counts = new int[steps];
        Span<int> chosen = stackalloc int[steps];
        for (int trajectory = 0; trajectory < Draws; trajectory++)
        {
            Assert.Equal(trained, StepSubset.Draw(steps, trained, 3, trajectory, chosen, out double weight));
            Assert.Equal(steps / (double)trained, weight);
            for (int k = 0; k < trained; k++)
            {
                Assert.Equal(k, chosen[k] / block);
                counts[chosen[k]]++;
            }
        }

        // Binomial counts: five standard deviations.
        double mean = Draws / (double)block;
        double deviation = Math.Sqrt(mean * (1 - (1.0 / block)));
        Assert.All(counts, c => Assert.InRange(c, mean - (5 * deviation), mean + (5 * deviation)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(6)]
    [InlineData(9)]
    public void AllStepsHaveWeightOne(int trained)
    {
        int[] chosen = new int[6];
        Assert.Equal(6, StepSubset.Draw(6, trained, 3, 1, chosen, out double weight));
        Assert.Equal(1, weight);
        Assert.Equal(Enumerable.Range(0, 6), chosen);
    }

    [Fact]
    public void BlocksMustBeEqual() => Assert.Throws<ArgumentException>(() => StepSubset.Draw(8, 3, 1, 1, new int[8], out _));

    [Fact]
    public void MeanGradientOfManyDrawsIsThatOfAllSteps()
    {
        using var run = new TinyRun();
        Trajectories trajectories = run.Rollout();
        float[] whole = run.ModelGradient(TinyRun.ModelPhase(2), trajectories, out PhaseMetrics all);

        // Projections on the whole gradient and on random directions; each mean must lie within five standard errors of the truth.
        const int Draws = 48;
        const int Projections = 6;
        var random = new Random(8);
        float[][] directions = new float[Projections][];
        for (int p = 0; p < Projections; p++)
        {
            directions[p] = p == 0 ? whole : [.. whole.Select(_ => (float)TinyRun.Gaussian(random))];
        }

        double[][] seen = [.. Enumerable.Range(0, Projections).Select(_ => new double[Draws])];
        double[] losses = new double[Draws];
        for (int draw = 0; draw < Draws; draw++)
        {
            float[] part = run.ModelGradient(
                TinyRun.ModelPhase(2) with
                {
                    StepsTrained = 2,
                },
                trajectories,
                out PhaseMetrics metrics,
                iteration: draw
            );
            Assert.Equal(8, metrics.Objective.Segments);
            losses[draw] = metrics.Objective.LossPolicy;
            for (int p = 0; p < Projections; p++)
            {
                seen[p][draw] = Dot(part, directions[p]);
            }
        }

        for (int p = 0; p < Projections; p++)
        {
            double truth = Dot(whole, directions[p]);
            double mean = seen[p].Average();
            double error = Math.Sqrt(seen[p].Sum(x => (x - mean) * (x - mean)) / (Draws - 1) / Draws);
            Assert.True(error > 0, "draws do not differ");
            Assert.True(Math.Abs(mean - truth) < 5 * error, $"projection {p}: {mean} against {truth}, standard error {error}");
        }

        // At ratio 1 the loss is a sum of advantages, which T/k times k terms leave as it is.
        Assert.All(losses, l => Assert.Equal(all.Objective.LossPolicy, l, 1e-12));
    }

    private static double Dot(float[] a, float[] b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            sum += (double)a[i] * b[i];
        }

        return sum;
    }
}
