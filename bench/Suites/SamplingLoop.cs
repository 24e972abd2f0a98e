using BenchmarkDotNet.Attributes;
using CoGrpo.Rl;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.EmojiScenes;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime.Randomness;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Bench.Suites;

/// <summary>
/// 64 pictures (8 prompts of 8) in T = 8 steps with guidance 1.5, one lane per core, hand-made schedule. Operations: conditional and
/// unconditional forward per picture and step with logits at masked codes; at step 0 one conditional forward per prompt and one
/// unconditional per lane. The draw and the re-mask are not counted.
/// </summary>
public class SamplingLoop : IMeasuredWork
{
    private const int Images = 64;
    private const int Samples = 8;
    private const int Steps = 8;

    private QuickStart _model = null!;
    private Trajectories _trajectories = null!;
    private HandMadeSchedule _schedule = null!;

    [GlobalSetup]
    public void Setup()
    {
        var configuration = new RunConfiguration();
        _model = new QuickStart(configuration);
        _schedule = new HandMadeSchedule(RunFactory.HandMade(configuration.Sampling.HandMade));
        _trajectories = new Trajectories(_model.Model.Backend, Images, QuickStart.Codes, Steps);
        var source = new ScenePromptSource();
        var random = new RandomSequence(1, RandomStream.Prompts);
        var prompts = new IPrompt[Images / Samples];
        for (int p = 0; p < prompts.Length; p++)
        {
            prompts[p] = source.Draw(ref random);
            _trajectories.Prompts.AsSpan(p * Samples, Samples).Fill(1 + p);
        }

        var table = new PromptTable(source);
        table.Set(prompts);
        _model.Lanes.SetPrompts(table.Ids);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _trajectories.Dispose();
        _model.Dispose();
    }

    [Benchmark]
    public void Sample64Pictures() => _model.Lanes.Sample(_trajectories, _schedule, exploration: null, 1, 0, Samples);

    public Work WorkOf(string method)
    {
        int[] masked = QuickStart.Masked(Steps);
        double total = ((Images / Samples) + Environment.ProcessorCount) * QuickStart.Forward(masked[0]);
        for (int t = 1; t < Steps; t++)
        {
            total += 2 * Images * QuickStart.Forward(masked[t]);
        }

        return new Work(total, double.NaN, Environment.ProcessorCount);
    }
}
