using BenchmarkDotNet.Attributes;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Bench.Suites;

/// <summary>Draw of tokens from guided logits. Exponentials, logarithms and Philox dominate, so bytes and codes per second are the measure.</summary>
public class GuidedSampling : OperationSuite, IMeasuredWork
{
    private Tensor _conditional, _unconditional;
    private GuidedRows _rows;
    private NoiseAddress _noise;

    [Params("1024x431", "64x8192")]
    public string RxV { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        Start();
        int[] s = Sizes(RxV);
        _conditional = Normal(s);
        _unconditional = Normal(s);
        _rows = new GuidedRows
        {
            Rows = Integers(i => i, s[0]),
            Codes = 64,
            Actions = Doubles(i => (i % 4) switch { 1 => 0.9, 3 => 1.5, _ => 0 }, (s[0] + 63) / 64, 4),
            Trajectories = Integers(i => i, (s[0] + 63) / 64),
            Tokens = Integers(_ => 0, s[0]),
            LogProb = Empty(s[0]),
            Confidence = Empty(s[0]),
        };
        _noise = new NoiseAddress(Key(RandomStream.TokenSampling), 3);
    }

    [GlobalCleanup]
    public void Cleanup() => Stop();

    [Benchmark]
    public void Sample() => Backend.GuidedSample(_conditional, _unconditional, _rows, _noise);

    public Work WorkOf(string method)
    {
        int[] s = Sizes(RxV);
        return new Work(double.NaN, 8e-6 * s[0] * s[1], Environment.ProcessorCount);
    }
}
