using BenchmarkDotNet.Attributes;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Bench.Suites;

/// <summary>Exact-count re-mask of fully masked canvases, half of which stays masked. The canvas is restored in each call; that copy is part of the time.</summary>
public class Remasking : OperationSuite, IMeasuredWork
{
    private const int MaskToken = 431;
    private int[] _masked = [];
    private Tensor _canvas, _candidates, _confidence, _temperature, _counts, _trajectories, _decodedStep;

    [Params("256x64", "1x4096")]
    public string BxN { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        Start();
        int[] s = Sizes(BxN);
        _masked = new int[s[0] * s[1]];
        Array.Fill(_masked, MaskToken);
        _canvas = Integers(_ => MaskToken, s);
        _candidates = Integers(i => i % MaskToken, s);
        _decodedStep = Integers(_ => -1, s);
        _confidence = Normal(s);
        _temperature = Constant(1, s[0]);
        _counts = Integers(_ => s[1] / 2, s[0]);
        _trajectories = Integers(i => i, s[0]);
    }

    [GlobalCleanup]
    public void Cleanup() => Stop();

    [Benchmark]
    public void Remask()
    {
        Backend.Upload<int>(_masked, _canvas);
        Backend.Remask(_canvas, _candidates, _confidence, _temperature, _counts, _trajectories, new NoiseAddress(1, RandomStream.Remask, 3), MaskToken, _decodedStep);
    }

    public Work WorkOf(string method)
    {
        int[] s = Sizes(BxN);
        return new Work(double.NaN, 20e-6 * s[0] * s[1], Environment.ProcessorCount);
    }
}
