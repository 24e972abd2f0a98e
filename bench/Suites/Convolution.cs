using BenchmarkDotNet.Attributes;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Bench.Suites;

/// <summary>
/// 3x3 convolutions of the picture decoder at 1024 pixels or a part of one, channels last. 18·C operations per result, 8·C where the map is enlarged
/// twice on the way.
/// </summary>
public class Convolution : OperationSuite, IMeasuredWork
{
    private Tensor _x;
    private Tensor _weight;
    private Tensor _bias;
    private Tensor _same;
    private Tensor _doubled;

    /// <summary>A square map of S x S pixels and C channels to O.</summary>
    [Params("64x768x768", "128x512x512", "256x256x256", "256x128x128")]
    public string SxCxO { get; set; } = "";

    [ParamsSource(nameof(ThreadCounts))]
    public int Threads { get; set; }

    public static IEnumerable<int> ThreadCounts => new[] { 1, Environment.ProcessorCount }.Distinct();

    [GlobalSetup]
    public void Setup()
    {
        Start(Threads);
        int[] s = Sizes(SxCxO);
        _x = Normal(1, s[0], s[0], s[1]);
        _weight = Normal(s[2], 3, 3, s[1]);
        _bias = Normal(s[2]);
        _same = Empty(1, s[0], s[0], s[2]);
        _doubled = Empty(1, 2 * s[0], 2 * s[0], s[2]);
    }

    [GlobalCleanup]
    public void Cleanup() => Stop();

    [Benchmark]
    public void Same() => Backend.Conv3x3(_x, _weight, _bias, _same, ConvForm.Same);

    [Benchmark]
    public void Doubled() => Backend.Conv3x3(_x, _weight, _bias, _doubled, ConvForm.Doubled);

    public Work WorkOf(string method)
    {
        int[] s = Sizes(SxCxO);
        (double pixels, double channels, double outputs) = ((double)s[0] * s[0], s[1], s[2]);
        (double results, double taps) = method == nameof(Same) ? (pixels * outputs, 9) : (4 * pixels * outputs, 4);
        return new Work(2e-9 * taps * channels * results, 4e-6 * ((pixels * channels) + (9 * channels * outputs) + results), Threads);
    }
}
