using BenchmarkDotNet.Attributes;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Bench.Suites;

/// <summary>Draw of tokens from guided logits. Exponentials, logarithms and Philox dominate, so bytes and codes per second are the measure.</summary>
public class GuidedSampling : OperationSuite, IMeasuredWork
{
    private Tensor _conditional, _unconditional, _guidance, _temperature, _positions, _trajectories, _tokens, _logProb, _confidence;

    [Params("1024x431", "64x8192")]
    public string RxV { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        Start();
        int[] s = Sizes(RxV);
        _conditional = Normal(s);
        _unconditional = Normal(s);
        _guidance = Constant(1.5f, s[0]);
        _temperature = Constant(0.9f, s[0]);
        _positions = Integers(i => i % 64, s[0]);
        _trajectories = Integers(i => i / 64, s[0]);
        _tokens = Integers(_ => 0, s[0]);
        _logProb = Empty(s[0]);
        _confidence = Empty(s[0]);
    }

    [GlobalCleanup]
    public void Cleanup() => Stop();

    [Benchmark]
    public void Sample() => Backend.GuidedSample(_conditional, _unconditional, _guidance, _temperature, _positions, _trajectories,
        new NoiseAddress(1, RandomStream.TokenSampling, 3), _tokens, _logProb, _confidence);

    public Work WorkOf(string method)
    {
        int[] s = Sizes(RxV);
        return new Work(double.NaN, 8e-6 * s[0] * s[1], Environment.ProcessorCount);
    }
}
