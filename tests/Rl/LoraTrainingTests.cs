using CoGrpo.Model.Lora;
using CoGrpo.Rl;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime.Autograd;

namespace CoGrpo.Tests.Rl;

/// <summary>Training of adapters on a real network.</summary>
public class LoraTrainingTests
{
    private static readonly LoraConfig Everything = new(4, 6, [LoraTargets.Attention, LoraTargets.Mlp]);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FreshAdaptersHaveTheBitsOfTheBase(bool downsample)
    {
        using var plain = new TinyRun(downsample: downsample);
        using var adapted = new TinyRun(downsample: downsample, lora: Everything);
        Trajectories expected = plain.Rollout(), actual = adapted.Rollout();
        Assert.Equal(expected.Tokens, actual.Tokens);
        Assert.Equal(expected.LogProb, actual.LogProb);
        Assert.Equal(expected.RawActions, actual.RawActions);
    }

    [Fact]
    public void EveryProjectionOfTheBlocksCanHaveAnAdapter()
    {
        using var run = new TinyRun(lora: Everything);
        string[] twoDimensional =
        [
            .. run
                .Model.Transformer.Parameters.Parameters.Where(p =>
                    p.Name.Contains("transformer_blocks.", StringComparison.Ordinal)
                    && p.Shape.Rank == 2
                    && !p.Name.Contains("norm", StringComparison.Ordinal)
                )
                .Select(p => p.Name[..^".weight".Length]),
        ];
        Assert.Equal(12 + 5, twoDimensional.Length);
        Assert.Equal(twoDimensional, run.Model.Transformer.Lora!.Shapes.Select(s => s.Module));
        Assert.Equal(["transformer_blocks.0.attn.to_q", "single_transformer_blocks.0.attn.to_q"],
            LoraTargets.Select(new LoraConfig(2, 2, ["to_q"]), run.Model.Transformer.LoraSlots).Select(s => s.Module));
    }

    [Theory]
    [InlineData(GuidanceGradient.Both, LoraTargets.Attention, LoraTargets.Mlp)]
    [InlineData(GuidanceGradient.Both, "to_q", "proj_mlp")]
    [InlineData(GuidanceGradient.DetachUncond, "to_add_out", "ff_context.net.2")]
    public void GradientsAreSlopesOfTheLoss(GuidanceGradient mode, params string[] targets)
    {
        using TinyRun run = Learned(new LoraConfig(3, 5, targets));
        Trajectories trajectories = run.Rollout();
        float[] gradient = run.ModelGradient(TinyRun.ModelPhase(2, mode), trajectories, out _);
        var objective = new IndependentObjective(run);
        double[] old = objective.LogProbs(run.Masked, run.Masked, mode, trajectories);
        using var frozen = new TinyRun(lora: new LoraConfig(3, 5, targets));
        frozen.Jitter(frozen.Model.Transformer.Trained, 9, 0.1);
        var unconditional = mode == GuidanceGradient.DetachUncond ? frozen.Masked : run.Masked;
        ParameterStore store = run.Model.Transformer.Trained;
        double step = 1e-3 / IndependentObjective.Norm(gradient);
        foreach (float[] direction in FiniteDifferenceTests.Directions(gradient, 2))
        {
            FiniteDifferenceTests.Check(run, store, store.Values, gradient, direction, step,
                () => IndependentObjective.Loss(trajectories, objective.LogProbs(run.Masked, unconditional, mode, trajectories), old), "adapters");
        }
    }

    [Fact]
    public void EveryAdapterIsReached()
    {
        using TinyRun run = Learned(Everything);
        run.ModelGradient(TinyRun.ModelPhase(2), run.Rollout(), out _);
        Assert.All(run.Lanes.Lanes[0].Model.Transformer.Trained.Parameters, p => Assert.True(run.Read(p.Gradient).Any(x => x != 0), p.Name));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void RecomputedBlocksHaveTheSameGradientAndLessMemory(bool adapters)
    {
        float[][] gradients = new float[2][];
        long[] activations = new long[2];
        for (int k = 0; k < 2; k++)
        {
            using TinyRun run = adapters ? Learned(Everything) : new TinyRun();
            ModelPhaseConfiguration configuration = TinyRun.ModelPhase(2) with { RecomputeBlocks = k == 1, MicroBatch = 64 };
            gradients[k] = run.ModelGradient(configuration, run.Rollout(images: 16), out _);
            activations[k] = run.Lanes.Lanes[0].Activations.PeakBytes;
        }

        Assert.Equal(gradients[0], gradients[1]);
        Assert.True(activations[1] < 0.8 * activations[0], $"{activations[1]} bytes of activations with recomputed blocks, {activations[0]} without");
    }

    [Fact]
    public void LanesShareTheAdapters()
    {
        using TinyRun one = Learned(Everything), two = Learned(Everything, lanes: 2);
        Trajectories expected = one.Rollout(), actual = two.Rollout();
        Assert.Equal(expected.LogProb, actual.LogProb);
        float[] a = one.ModelGradient(TinyRun.ModelPhase(2), expected, out _), b = two.ModelGradient(TinyRun.ModelPhase(2), actual, out _);
        Assert.InRange(IndependentObjective.Distance(b, a), 0, 1e-5);
    }

    [Fact]
    public void OnlyAdaptersLearnAndOnlyTheyHaveMomentsAndGradients()
    {
        using var all = new TinyRun();
        using var few = new TinyRun(lora: new LoraConfig(2, 2, [LoraTargets.Attention]));
        float[] frozen = few.Read(few.Model.Transformer.Parameters.Values), text = few.Read(few.Model.TextEncoder.Parameters.Values);
        float[] adapters = few.Read(few.Model.Transformer.Trained.Values);
        foreach (TinyRun run in new[] { all, few })
        {
            CoGrpoTrainer trainer = run.Trainer(run.Configuration(TrainMode.Naive, model: 2, schedule: 0));
            for (int i = 0; i < 2; i++)
            {
                PhaseMetrics metrics = Assert.NotNull(trainer.Train().Model);
                Assert.Equal((1.0, 1.0), (metrics.Objective.RatioMin, metrics.Objective.RatioMax));
                Assert.True(metrics.GradientNorm > 0);
            }
        }

        Assert.Equal(frozen, few.Read(few.Model.Transformer.Parameters.Values));
        Assert.Equal(text, few.Read(few.Model.TextEncoder.Parameters.Values));
        float[] learned = few.Read(few.Model.Transformer.Trained.Values);
        Assert.NotEqual(adapters, learned);
        Assert.True(few.Model.Transformer.Parameters.Gradients.IsNone);
        Assert.True(few.Lanes.Lanes[0].Model.Transformer.Parameters.Gradients.IsNone);

        // Two moments, and a gradient in the model and in its lane, of fp32 each.
        long trained = all.Model.Transformer.Parameters.Values.Shape.Count, few1 = few.Model.Transformer.Trained.Values.Shape.Count;
        Assert.True(few1 < trained / 10);
        using var optimizer = new CoGrpo.Runtime.Optimization.AdamWOptimizer(few.Backend, new(0.9, 0.95, 1e-8, 0, 0), few.Model.Transformer.Trained);
        Assert.Equal(few1, optimizer.Moments(0).First.Shape.Count);
        Assert.InRange(Held(all, "gradients") - Held(few, "gradients"), 1, long.MaxValue);
    }

    [Fact]
    public void TheReferenceOfAdaptersIsTheModelWithoutThem()
    {
        using TinyRun run = Learned(Everything);
        using var plain = new TinyRun();
        using var phase = new ModelPhase(run.Lanes, TinyRun.ModelPhase(2) with { Kl = 0.1 });
        Assert.Null(phase.Reference!.Transformer.Lora);
        Assert.Equal(run.Model.Transformer.Parameters.Values.Address, phase.Reference.Transformer.Parameters.Values.Address);
        PhaseMetrics metrics = phase.Update(run.Rollout(), 0, TinyRun.Seed, 0, 1);
        Assert.True(metrics.Objective.LossKl > 0);
    }

    [Fact]
    public void FoldedWeightsComputeWhatTheAdaptersDid()
    {
        using TinyRun run = Learned(Everything);
        Trajectories trajectories = run.Rollout();
        var objective = new IndependentObjective(run);
        double[] expected = objective.LogProbs(run.Masked, run.Masked, GuidanceGradient.Both, trajectories);
        using var plain = new TinyRun();
        double[] without = new IndependentObjective(plain).LogProbs(plain.Masked, plain.Masked, GuidanceGradient.Both, trajectories);
        run.Model.Transformer.Lora!.Fold(run.Model.Transformer.Parameters);
        double[] merged = objective.LogProbs(run.Masked, run.Masked, GuidanceGradient.Both, trajectories);
        double largest = expected.Zip(without, (a, b) => Math.Abs(a - b)).Max();
        Assert.True(largest > 0.1, $"adapters move log-probabilities by {largest}");

        // As the same network in another order of sums (StoredLogProbabilitiesAreThoseOfTheNetwork).
        Assert.All(expected.Zip(merged), x => Assert.Equal(x.First, x.Second, 2e-5));
    }

    private static long Held(TinyRun run, string arena) => run.Backend.Memory.Arenas.Where(a => a.Arena == arena).Sum(a => a.ReservedBytes);

    /// <summary>Adapters away from their zero start.</summary>
    private static TinyRun Learned(LoraConfig config, int lanes = 1)
    {
        var run = new TinyRun(lanes, lora: config);
        run.Jitter(run.Model.Transformer.Trained, 9, 0.1);
        return run;
    }
}
