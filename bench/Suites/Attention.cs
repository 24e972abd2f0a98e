using BenchmarkDotNet.Attributes;
using CoGrpo.Runtime;

namespace CoGrpo.Bench.Suites;

/// <summary>softmax(q k^T) v: two products of 2·S²·D operations per head forward; backward five (scores again, dV, dP, dQ, dK).</summary>
public class Attention : OperationSuite, IMeasuredWork
{
    private int _heads;
    private Tensor _q, _k, _v, _o, _logSumExp, _dO, _dq, _dk, _dv;

    [Params("16x72x4x32", "1x1101x8x128")]
    public string BxSxHxD { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        Start();
        int[] s = Sizes(BxSxHxD);
        (int images, int tokens, _heads, int width) = (s[0], s[1], s[2], s[2] * s[3]);
        _q = Normal(images, tokens, width);
        _k = Normal(images, tokens, width);
        _v = Normal(images, tokens, width);
        _dO = Normal(images, tokens, width);
        _o = Empty(images, tokens, width);
        _dq = Empty(images, tokens, width);
        _dk = Empty(images, tokens, width);
        _dv = Empty(images, tokens, width);
        _logSumExp = Empty(images, _heads, tokens);
        Forward();
    }

    [GlobalCleanup]
    public void Cleanup() => Stop();

    [Benchmark]
    public void Forward() => Backend.Attention(_q, _k, _v, _o, _logSumExp, _heads, causal: false);

    [Benchmark]
    public void Backward() => Backend.AttentionBackward(_dO, _q, _k, _v, _o, _logSumExp, _dq, _dk, _dv, _heads, causal: false);

    public Work WorkOf(string method)
    {
        int[] s = Sizes(BxSxHxD);
        double product = 2e-9 * s[0] * s[2] * s[3] * s[1] * s[1];
        double tensor = 4e-6 * s[0] * s[1] * s[2] * s[3];
        return method == nameof(Forward)
            ? new Work(2 * product, 4 * tensor, Environment.ProcessorCount)
            : new Work(5 * product, 8 * tensor, Environment.ProcessorCount);
    }
}
