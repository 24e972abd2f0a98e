using CoGrpo.Rl;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Tests.Rl;

/// <summary>Sampler, trajectories, advantages, objective and log-probability gradient together, on a problem whose optimum is known.</summary>
public class TabularTests
{
    private const int Codes = 16;
    private const int Vocabulary = 8;
    private const int Images = 64;
    private const int Group = 8;
    private const int Steps = 4;

    [Fact]
    public void CountingRewardReachesItsOptimum()
    {
        using var backend = new CpuBackend(1);
        var model = new TabularModel(backend, Codes, Vocabulary);
        using var sampler = new MaskedSampler(model, new SamplerOptions { MicroBatch = Images });
        var schedule = new HandMadeSchedule(new HandMadeSettings { Guidance = 2, SamplingTemperature = 1 });
        var record = new SampleRecord(Images, Codes, Steps);
        using var trajectories = new Trajectories(backend, Images, Codes, Steps);
        var advantages = new Advantages(new AdvantageSettings { Weights = [1], Epsilons = [1e-4] });
        var objective = new ClippedObjective(new ObjectiveSettings());
        using Arena arena = backend.CreateArena("tabular", 1 << 20);
        int[] prompts = [.. Enumerable.Repeat(1, Images)];
        double[] rewards = new double[Images];
        double share = 0;
        double first = 0;
        for (int update = 0; update < 150; update++)
        {
            sampler.Sample(new SampleRequest { Steps = Steps, Prompts = prompts, Seed = 5, FirstTrajectory = update * Images }, schedule, record);
            trajectories.Store(record, 0);
            for (int b = 0; b < Images; b++)
            {
                // Position i wants code 3i mod 8; the optimum is every position right, 1.
                rewards[b] = Enumerable.Range(0, Codes).Count(i => record.Tokens[(b * Codes) + i] == 3 * i % Vocabulary) / (double)Codes;
            }

            share = rewards.Average();
            first = update == 0 ? share : first;
            advantages.Compute(rewards, Group, trajectories.Advantages);
            arena.Release(default);
            Step(model, trajectories, objective, arena);
        }

        Assert.InRange(first, 0.05, 0.2);
        Assert.True(share > 0.95, $"from {first} to {share}");
    }

    /// <summary>Plain gradient descent on both tables.</summary>
    private static void Step(TabularModel model, Trajectories t, ClippedObjective objective, Arena arena)
    {
        const int Rows = Images * Codes;
        int[] segments = [.. Enumerable.Range(0, Rows).Select(r => (r / Codes * Steps) + t.DecodedStep[r])];
        Tensor c = Table(model.Conditional);
        Tensor u = Table(model.Unconditional);
        Tensor guidance = Column([.. segments.Select(s => (float)t.Actions[s].Guidance)]);
        Tensor temperature = Column([.. segments.Select(s => (float)t.Actions[s].SamplingTemperature)]);
        Tensor tokens = arena.Allocate(new Shape(Rows), ElementType.Int32);
        model.Backend.Upload<int>([.. t.Tokens.Select(x => (int)x)], tokens);
        Tensor logProb = arena.Allocate(new Shape(Rows));
        Tensor logSumExp = arena.Allocate(new Shape(Rows));
        model.Backend.LogProbGather(c, u, guidance, temperature, tokens, logProb, default, default, logSumExp);
        float[] values = new float[Rows];
        model.Backend.Download<float>(logProb, values);
        Assert.Equal(t.LogProb, values);

        const int Segments = Images * Steps;
        float[] upstream = new float[Rows];
        objective.Tokens(new TokenInput { LogProb = values, OldLogProb = t.LogProb, Segments = segments },
            new SegmentInput
            {
                Advantages = [.. Enumerable.Range(0, Segments).Select(s => t.Advantages[s / Steps])],
                Weights = [.. Enumerable.Repeat(1.0, Segments)],
                Normalizer = Rows,
            },
            new SegmentOutput
            {
                LogRatios = new double[Segments],
                Ratios = new double[Segments],
                Surrogates = new double[Segments],
                Clipped = new byte[Segments],
            },
            upstream
        );
        model.Backend.LogProbGatherBackward(Column(upstream), c, u, guidance, temperature, tokens, logSumExp, c, u);
        Descend(model.Conditional, c);
        Descend(model.Unconditional, u);

        Tensor Table(float[] table)
        {
            Tensor rows = arena.Allocate(new Shape(Rows, Vocabulary));
            model.Backend.Upload<float>([.. Enumerable.Range(0, Images).SelectMany(_ => table)], rows);
            return rows;
        }

        Tensor Column(float[] column)
        {
            Tensor rows = arena.Allocate(new Shape(Rows));
            model.Backend.Upload<float>(column, rows);
            return rows;
        }

        void Descend(float[] table, Tensor gradient)
        {
            float[] rows = new float[Rows * Vocabulary];
            model.Backend.Download<float>(gradient, rows);
            for (int i = 0; i < rows.Length; i++)
            {
                table[i % table.Length] -= 4 * rows[i];
            }
        }
    }
}
