using BenchmarkDotNet.Attributes;
using CoGrpo.Runtime;

namespace CoGrpo.Bench.Suites;

/// <summary>
/// LN(x)(1 + scale) + shift. Bound by memory: 8 operations per element forward (mean 1, variance 3, normalise 2, modulate 2), 16 backward.
/// </summary>
public class AdaLnModulate : OperationSuite, IMeasuredWork
{
    private const float Epsilon = 1e-6f;
    private Tensor _x, _shift, _scale, _y, _stats, _dy, _dx, _dshift, _dscale;

    /// <summary>B images of S tokens of C channels: 1152 x 128 and 1101 x 1024 as matrices.</summary>
    [Params("16x72x128", "1x1101x1024")]
    public string BxSxC { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        Start();
        int[] s = Sizes(BxSxC);
        _x = Normal(s);
        _dy = Normal(s);
        _y = Empty(s);
        _dx = Empty(s);
        _shift = Normal(s[0], s[2]);
        _scale = Normal(s[0], s[2]);
        _dshift = Normal(s[0], s[2]);
        _dscale = Normal(s[0], s[2]);
        _stats = Empty(s[0] * s[1], 2);
        Forward();
    }

    [GlobalCleanup]
    public void Cleanup() => Stop();

    [Benchmark]
    public void Forward() => Backend.AdaLn(_x, _shift, _scale, _y, _stats, Epsilon);

    [Benchmark]
    public void Backward() => Backend.AdaLnBackward(_dy, _x, _scale, _stats, _dx, accumulate: false, _dshift, _dscale);

    public Work WorkOf(string method)
    {
        int[] s = Sizes(BxSxC);
        double elements = (double)s[0] * s[1] * s[2];
        return method == nameof(Forward)
            ? new Work(8e-9 * elements, 8e-6 * elements, Environment.ProcessorCount)
            : new Work(16e-9 * elements, 12e-6 * elements, Environment.ProcessorCount);
    }
}
