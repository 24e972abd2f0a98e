using CoGrpo.Model.Schedule;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Pretraining;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Tests.Rl;

/// <summary>
/// Managed bytes per call once warm, counted on the calling thread and on every lane's: the test host and the runtime's tiered compiler
/// allocate now and then on threads of their own, which a count over the process would take for the call's.
/// </summary>
public class AllocationTests
{
    [Fact]
    public void ASampleOfTheRealModelAllocatesNothing()
    {
        using var run = new TinyRun();
        using var sampler = new MaskedSampler(run.Masked, new SamplerOptions { MicroBatch = 2 });
        using var schedule = new LearnedSchedule(run.Policy, run.Parametrization, 4, (8, 8), [true, true, true, true]) { ExplorationSeed = 1 };
        var record = new SampleRecord(3, 64, 4);
        int[] prompts = [1, 1, 2];
        Assert.Equal(0, Allocated(run, () => sampler.Sample(new SampleRequest { Steps = 4, Prompts = prompts, Seed = 7 }, schedule, record)));
    }

    [Fact]
    public void APretrainingStepAllocatesNothing()
    {
        using var run = new TinyRun();
        var options = new PretrainingOptions { Steps = 100, Batch = 6, MicroBatch = 2, Lanes = 1 };
        using var trainer = new Pretrainer(run.Model, run.World, options, 1, () => new CpuBackend(1));
        Assert.Equal(0, Allocated(run, () => trainer.Train()));
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.1)]
    public void AModelUpdateAllocatesNothing(double kl)
    {
        using var run = new TinyRun(2);
        Trajectories trajectories = run.Rollout();
        using var phase = new ModelPhase(run.Lanes, TinyRun.ModelPhase(2) with { Kl = kl, Ema = 0.9, LearningRate = 1e-4 });
        Assert.Equal(0, Allocated(run, () => phase.Update(trajectories, 1, 1, 0, 1)));
    }

    [Fact]
    public void AScheduleUpdateAllocatesNothing()
    {
        using var run = new TinyRun(2);
        Trajectories trajectories = run.Rollout();
        using var phase = new SchedulePhase(run.Lanes, TinyRun.SchedulePhase(2) with { Ema = 0.9 }, 0.1);
        Assert.Equal(0, Allocated(run, () => phase.Update(trajectories, 1, 1)));
    }

    [Theory]
    [InlineData(TrainMode.Naive)]
    [InlineData(TrainMode.Schedule)]
    [InlineData(TrainMode.Joint)]
    public void AnIterationAllocatesNothing(TrainMode mode)
    {
        using var run = new TinyRun(2);
        CoGrpoTrainer trainer = run.Trainer(run.Configuration(mode, 20, 20, learningRate: 1e-5));
        Assert.Equal(0, Allocated(run, () => trainer.Train()));
    }

    private static long Allocated(TinyRun run, Action call)
    {
        long[] bytes = new long[run.Lanes.Count];
        long[] before = new long[run.Lanes.Count];
        Action<int> count = lane => bytes[lane] = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 3; i++)
        {
            run.Lanes.Run(count);
            call();
        }

        run.Lanes.Run(count);
        bytes.CopyTo(before, 0);
        call();
        run.Lanes.Run(count);
        return bytes.Sum() - before.Sum();
    }
}
