using BenchmarkDotNet.Attributes;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Randomness;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Bench.Suites;

/// <summary>
/// Exact-count re-mask of fully masked canvases, half of which stays masked. The canvas is restored in each call; that copy is part of the time.
/// </summary>
public class Remasking : OperationSuite, IMeasuredWork
{
    private const int MaskToken = 431;
    private int[] _masked = [];
    private RemaskOperands _operands;
    private NoiseAddress _noise;

    [Params("256x64", "1x4096")]
    public string BxN { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        Start();
        int[] s = Sizes(BxN);
        _masked = new int[s[0] * s[1]];
        Array.Fill(_masked, MaskToken);
        _operands = new RemaskOperands
        {
            Canvas = Integers(_ => MaskToken, s),
            Candidates = Integers(i => i % MaskToken, s),
            Confidence = Normal(s),
            LogProb = Normal(s),
            Actions = Doubles(i => (i % 4) switch { 0 => 0.5, 2 => 1, _ => 1 }, s[0], 4),
            StartShare = Doubles(_ => 1, s[0]),
            Trajectories = Integers(i => i, s[0]),
            DecodedStep = Integers(_ => -1, s),
            DecodedLogProb = Empty(s),
        };
        _noise = new NoiseAddress(Key(RandomStream.Remask), 3);
    }

    [GlobalCleanup]
    public void Cleanup() => Stop();

    [Benchmark]
    public void Remask()
    {
        Backend.Upload<int>(_masked, _operands.Canvas);
        Backend.Remask(_operands, _noise, 8, CountRule.Double, MaskToken);
    }

    public Work WorkOf(string method)
    {
        int[] s = Sizes(BxN);
        return new Work(double.NaN, 20e-6 * s[0] * s[1], Environment.ProcessorCount);
    }
}
