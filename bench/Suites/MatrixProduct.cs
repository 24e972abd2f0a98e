using BenchmarkDotNet.Attributes;
using CoGrpo.Bench.Reference;
using CoGrpo.Runtime;

namespace CoGrpo.Bench.Suites;

/// <summary>y [M,N] = x [M,K] W^T [N,K] beside OpenBLAS on the same memory. 2·M·K·N operations.</summary>
public class MatrixProduct : OperationSuite, IMeasuredWork
{
    private Tensor _x;
    private Tensor _weight;
    private Tensor _y;

    [Params("512x512x512", "1101x1024x4096", "4864x128x512")]
    public string MxKxN { get; set; } = "";

    [ParamsSource(nameof(ThreadCounts))]
    public int Threads { get; set; }

    public static IEnumerable<int> ThreadCounts => new[] { 1, Environment.ProcessorCount }.Distinct();

    [GlobalSetup]
    public void Setup()
    {
        Start(Threads);
        int[] size = Sizes(MxKxN);
        _x = Normal(size[0], size[1]);
        _weight = Normal(size[2], size[1]);
        _y = Empty(size[0], size[2]);
        OpenBlasLibrary.Shared?.SetThreads(Threads);
    }

    [GlobalCleanup]
    public void Cleanup() => Stop();

    [Benchmark]
    public void Native() => Backend.Linear(_x, _weight, default, _y);

    [Benchmark]
    public void OpenBlas() => OpenBlasLibrary.Shared!.Product(_x, _weight, _y);

    public Work WorkOf(string method)
    {
        int[] s = Sizes(MxKxN);
        return new Work(2e-9 * s[0] * s[1] * s[2], 4e-6 * (((double)s[0] * s[1]) + ((double)s[1] * s[2]) + ((double)s[0] * s[2])), Threads);
    }
}
