using BenchmarkDotNet.Attributes;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.EmojiScenes;
using CoGrpo.Rl.Pretraining;
using CoGrpo.Runtime.Backends.Cpu;

namespace CoGrpo.Bench.Suites;

/// <summary>
/// One optimizer step on 64 pictures, one lane per core. Operations: three forwards of transformer and text encoder per picture, logits at
/// the expected 2/π of the codes; optimizer and weight average are not counted.
/// </summary>
public class PretrainingStep : IMeasuredWork
{
    private const int Batch = 64;

    private QuickStart _model = null!;
    private Pretrainer _trainer = null!;

    [GlobalSetup]
    public void Setup()
    {
        _model = new QuickStart(new RunConfiguration());
        var options = new PretrainingOptions
        {
            Batch = Batch,
            Lanes = Environment.ProcessorCount,
            MicroBatch = Math.Max(1, Math.Min(16, Batch / Environment.ProcessorCount)),
        };
        _trainer = new Pretrainer(_model.Model, new ScenePictureSource(QuickStart.Layout, []), options, 1, () => new CpuBackend(1));
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _trainer.Dispose();
        _model.Dispose();
    }

    [Benchmark]
    public double Step() => _trainer.Train().Loss;

    public Work WorkOf(string method) =>
        new(3 * Batch * (QuickStart.Forward(QuickStart.Codes * 2 / Math.PI) + QuickStart.Text), double.NaN, Environment.ProcessorCount);
}
