using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Tests.Cuda;

/// <summary>
/// Compiled kernels on disk: found again, never another's, whole under concurrent writers, and no trouble of the folder is the run's.
/// </summary>
public sealed class KernelCacheTests : IDisposable
{
    private const string Stem = "fill";

    private static readonly CudaArchitecture Architecture = new(8, 0);
    private static readonly Version Compiler = new(12, 4);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void StoredKernelsAreFoundWhole()
    {
        KernelCache cache = new(_folder.File("kernels"));
        CompiledKernels stored = Kernels(7);
        Assert.Null(cache.Find(Stem, Architecture, Compiler));
        Assert.True(cache.Store(stored, Compiler));
        Same(stored, cache.Find(Stem, Architecture, Compiler));
    }

    [Fact]
    public void OtherCompilerArchitectureOrProgramIsNotFound()
    {
        KernelCache cache = new(_folder.Path);
        cache.Store(Kernels(1), Compiler);
        Assert.Null(cache.Find(Stem, Architecture, new Version(11, 8)));
        Assert.Null(cache.Find(Stem, new CudaArchitecture(8, 6), Compiler));
        Assert.Null(cache.Find("copy", Architecture, Compiler));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(50)]
    [InlineData(-1)]
    public void DamagedFileCountsAsAbsentAndIsReplaced(int length)
    {
        KernelCache cache = new(_folder.Path);
        cache.Store(Kernels(1), Compiler);
        string path = cache.PathOf(Stem, Architecture, Compiler);
        byte[] bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(path, bytes[..(length < 0 ? bytes.Length + length : length)]);
        Assert.Null(cache.Find(Stem, Architecture, Compiler));

        KernelCompiler compiler = new(() => TestCompilers.All[0], cache);
        CudaArchitecture architecture = compiler.Get(Stem, Architecture).Architecture;
        Assert.NotNull(cache.Find(Stem, architecture, TestCompilers.All[0].Version));
    }

    [Fact]
    public void FolderThatTakesNothingCostsACompilationNotTheRun()
    {
        string file = _folder.File("not-a-folder");
        File.WriteAllText(file, "");
        KernelCache cache = new(file);
        Assert.False(cache.Store(Kernels(1), Compiler));
        Assert.NotEmpty(new KernelCompiler(() => TestCompilers.All[0], cache).Get(Stem, Architecture).Ptx);
    }

    [Fact]
    public void CompilesOnceThenReads()
    {
        KernelCache cache = new(_folder.Path);
        CompiledKernels first = new KernelCompiler(() => TestCompilers.All[0], cache).Get(Stem, Architecture);
        DateTime written = File.GetLastWriteTimeUtc(cache.PathOf(Stem, Architecture, TestCompilers.All[0].Version));
        Same(first, new KernelCompiler(() => TestCompilers.All[0], cache).Get(Stem, Architecture));
        Assert.Equal(written, File.GetLastWriteTimeUtc(cache.PathOf(Stem, Architecture, TestCompilers.All[0].Version)));
    }

    /// <summary>
    /// Writers and readers of one file at once, as processes that start together are: a reader sees one writer's kernels whole or none.
    /// </summary>
    [Fact]
    public void ConcurrentWritersNeverShowAPart()
    {
        KernelCache[] caches = [.. Enumerable.Range(0, 8).Select(_ => new KernelCache(_folder.Path))];
        int seen = 0;
        caches[0].Store(Kernels(1), Compiler);
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, worker =>
        {
            for (int round = 0; round < 40; round++)
            {
                if (worker % 2 == 0)
                {
                    Assert.True(caches[worker].Store(Kernels((byte)(1 + worker)), Compiler));
                }
                else if (caches[worker].Find(Stem, Architecture, Compiler) is { } found)
                {
                    Same(Kernels(found.Ptx[0]), found);
                    Interlocked.Increment(ref seen);
                }
            }
        });
        Assert.True(seen > 0);
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void DeviceLaterThanTheCompilerTakesTheLatestItKnows()
    {
        Nvrtc nvrtc = TestCompilers.All[0];
        KernelCompiler compiler = new(() => nvrtc, new KernelCache(_folder.Path));
        Assert.Equal(nvrtc.Architectures[^1], compiler.Get(Stem, new CudaArchitecture(12, 0)).Architecture);
        Assert.Equal(new CudaArchitecture(8, 0), compiler.Get(Stem, new CudaArchitecture(8, 0)).Architecture);
    }

    private static CompiledKernels Kernels(byte value) =>
        new(Stem, Architecture, [.. Enumerable.Repeat(value, 30_000 + (value * 1000))], [.. Enumerable.Repeat((byte)~value, 20_000)], $"log {value}");

    private static void Same(CompiledKernels expected, CompiledKernels? actual)
    {
        Assert.NotNull(actual);
        Assert.Equal((expected.Stem, expected.Architecture, expected.Log), (actual.Stem, actual.Architecture, actual.Log));
        Assert.True(expected.Ptx.AsSpan().SequenceEqual(actual.Ptx));
        Assert.True(expected.Cubin.AsSpan().SequenceEqual(actual.Cubin));
    }
}
