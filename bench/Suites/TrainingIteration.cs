using BenchmarkDotNet.Attributes;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Training;

namespace CoGrpo.Bench.Suites;

/// <summary>
/// One whole iteration of each phase at the quick-start's full size: rollout, rewards, update. Model phase: 96 trajectories in groups of 6,
/// 4 of 8 steps trained through both guidance branches. Schedule phase: 256 in groups of 8. Operations: two forwards per trajectory and
/// step of the rollout (sharing at step 0 not subtracted), six per trained step, logits at the mean number of masked codes; the schedule
/// policy and the optimizer are not counted.
/// </summary>
[WarmupCount(1), IterationCount(3), InvocationCount(1, 1)]
public class TrainingIteration : IMeasuredWork
{
    private const int Plan = 1000;

    private QuickStart _model = null!;
    private CoGrpoTrainer _trainer = null!;

    [GlobalSetup(Target = nameof(ModelPhase))]
    public void SetupModel() => Setup(new CycleConfiguration { Model = Plan });

    [GlobalSetup(Target = nameof(SchedulePhase))]
    public void SetupSchedule() => Setup(new CycleConfiguration { Schedule = Plan });

    [GlobalCleanup]
    public void Cleanup()
    {
        _trainer.Dispose();
        _model.Dispose();
    }

    [Benchmark]
    public long ModelPhase() => _trainer.Train().Iteration;

    [Benchmark]
    public long SchedulePhase() => _trainer.Train().Iteration;

    public Work WorkOf(string method)
    {
        var configuration = new RunConfiguration();
        int steps = configuration.Sampling.Steps;
        double forward = QuickStart.Forward(QuickStart.Masked(steps).Average());
        TrainConfiguration train = configuration.Train;
        double forwards =
            method == nameof(ModelPhase) ? train.Model.Batch * ((2 * steps) + (6 * train.Model.StepsTrained)) : train.Schedule.Batch * 2 * steps;
        return new Work(forwards * forward, double.NaN, Environment.ProcessorCount);
    }

    private void Setup(CycleConfiguration cycle)
    {
        var configuration = new RunConfiguration();
        configuration = configuration with { Train = configuration.Train with { Cycles = [cycle] } };
        _model = new QuickStart(configuration);
        _trainer = new CoGrpoTrainer(
            configuration,
            _model.Lanes,
            new Rl.EmojiScenes.ScenePromptSource(),
            [new Rl.EmojiScenes.Adherence(QuickStart.Layout), new Rl.EmojiScenes.Fidelity(QuickStart.Layout)],
            QuickStart.Layout.Tokenizer,
            watch: null
        );
    }
}
