using BenchmarkDotNet.Attributes;
using CoGrpo.Runtime;

namespace CoGrpo.Bench.Suites;

/// <summary>
/// Log-probability of given tokens under guidance, and its gradient. Exponentials dominate, so bytes are the measure: two logit rows read, backward
/// also two written.
/// </summary>
public class LogProbabilities : OperationSuite, IMeasuredWork
{
    private Tensor _conditional,
        _unconditional,
        _guidance,
        _temperature,
        _tokens,
        _logProb,
        _confidence,
        _entropy,
        _logSumExp,
        _upstream,
        _dconditional,
        _dunconditional;

    [Params("1024x431", "64x8192")]
    public string RxV { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        Start();
        int[] s = Sizes(RxV);
        _conditional = Normal(s);
        _unconditional = Normal(s);
        _dconditional = Empty(s);
        _dunconditional = Empty(s);
        _guidance = Constant(1.5f, s[0]);
        _temperature = Constant(0.9f, s[0]);
        _tokens = Integers(i => i % s[1], s[0]);
        _upstream = Normal(s[0]);
        _logProb = Empty(s[0]);
        _confidence = Empty(s[0]);
        _entropy = Empty(s[0]);
        _logSumExp = Empty(s[0]);
        Forward();
    }

    [GlobalCleanup]
    public void Cleanup() => Stop();

    [Benchmark]
    public void Forward() =>
        Backend.LogProbGather(_conditional, _unconditional, _guidance, _temperature, _tokens, _logProb, _confidence, _entropy, _logSumExp);

    [Benchmark]
    public void Backward() =>
        Backend.LogProbGatherBackward(
            _upstream,
            _conditional,
            _unconditional,
            _guidance,
            _temperature,
            _tokens,
            _logSumExp,
            _dconditional,
            _dunconditional
        );

    public Work WorkOf(string method)
    {
        int[] s = Sizes(RxV);
        return new Work(double.NaN, (method == nameof(Forward) ? 8e-6 : 16e-6) * s[0] * s[1], Environment.ProcessorCount);
    }
}
