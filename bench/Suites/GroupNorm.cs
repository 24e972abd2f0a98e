using BenchmarkDotNet.Attributes;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Bench.Suites;

/// <summary>SiLU of the group norm of a map, 32 groups. Bound by memory: the map is read for its statistics, read again and written.</summary>
public class GroupNorm : OperationSuite, IMeasuredWork
{
    private Tensor _x, _weight, _bias, _y;

    /// <summary>A square map of S x S pixels and C channels.</summary>
    [Params("64x768", "512x256", "1024x128")]
    public string SxC { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        Start();
        int[] s = Sizes(SxC);
        _x = Normal(1, s[0], s[0], s[1]);
        _weight = Normal(s[1]);
        _bias = Normal(s[1]);
        _y = Empty(1, s[0], s[0], s[1]);
    }

    [GlobalCleanup]
    public void Cleanup() => Stop();

    [Benchmark]
    public void Silu() => Backend.GroupNorm(_x, _weight, _bias, _y, 32, 1e-6f, Activation.Silu);

    public Work WorkOf(string method)
    {
        int[] s = Sizes(SxC);
        return new Work(double.NaN, 12e-6 * s[0] * s[0] * s[1], Environment.ProcessorCount);
    }
}
