using System.IO.Compression;
using System.Text;
using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;
using CoGrpo.Tests.Cli;

namespace CoGrpo.Tests.Cuda;

/// <summary>The file of <c>kernels build</c>: it replaces the compiler, and one that is damaged, incomplete or of other sources is refused.</summary>
public sealed class KernelBundleTests : IClassFixture<KernelBundleTests.Built>
{
    private static readonly CudaArchitecture Turing = new(7, 5);

    private readonly Built _built;

    public KernelBundleTests(Built built) => _built = built;

    [Fact]
    public void ReplacesTheCompiler()
    {
        KernelBundle bundle = KernelBundle.Open(_built.Path);
        Assert.Equal([Turing], bundle.Architectures);
        Assert.Equal(TestCompilers.All[0].Version.ToString(), bundle.Compiler);
        KernelCompiler compiler = new(() => throw new InvalidOperationException("the compiler was asked"), null, bundle);
        foreach (string stem in KernelSources.Stems)
        {
            CompiledKernels kernels = compiler.Get(stem, Turing);
            Assert.Contains(".target sm_75", Encoding.UTF8.GetString(kernels.Ptx), StringComparison.Ordinal);
            Assert.NotEmpty(kernels.Cubin);
        }
    }

    [Fact]
    public void LaterDeviceRunsThePtxAndAnEarlierOneAsksTheCompiler()
    {
        KernelBundle bundle = KernelBundle.Open(_built.Path);
        Assert.Equal(Turing, bundle.Find("fill", new CudaArchitecture(12, 0))?.Architecture);
        Assert.Null(bundle.Find("fill", new CudaArchitecture(7, 0)));
    }

    [Fact]
    public void BundleOfOtherSourcesIsRefused()
    {
        string manifest = _built.Manifest();
        string fingerprint = KernelSources.Fingerprint("adaln");
        Assert.Contains(fingerprint, manifest, StringComparison.Ordinal);
        Assert.Contains(
            "wanted kernels of this version, those of adaln are of another; make it again",
            _built.Refused(manifest.Replace(fingerprint, new string('0', fingerprint.Length), StringComparison.Ordinal)),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("{\"Compiler\":\"12.4\",\"Architectures\":[\"sm_x\"],\"Fingerprints\":{}}")]
    [InlineData("{\"Compiler\":\"12.4\",\"Architectures\":[null],\"Fingerprints\":{}}")]
    public void ManifestThatLacksAPartIsRefused(string manifest) =>
        Assert.Contains("wanted a file that «cogrpo-native kernels build» wrote", _built.Refused(manifest), StringComparison.Ordinal);

    [Fact]
    public void CutFileIsRefused()
    {
        using TemporaryFolder folder = new();
        string path = folder.File("kernels.zip");
        byte[] bytes = File.ReadAllBytes(_built.Path);
        File.WriteAllBytes(path, bytes[..(bytes.Length / 2)]);
        string message = Assert.Throws<CudaException>(() => KernelBundle.Open(path)).Message;
        Assert.StartsWith($"kernel bundle {path}: ", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void EntryDamagedInsideIsRefusedWhenItIsRead()
    {
        using TemporaryFolder folder = new();
        string path = folder.File("kernels.zip");
        File.Copy(_built.Path, path);
        using (ZipArchive archive = ZipFile.Open(path, ZipArchiveMode.Update))
        {
            archive.GetEntry("sm_75/fill.ptx")!.Delete();
            using Stream stream = archive.CreateEntry("sm_75/fill.ptx").Open();
            stream.Write(new byte[70 << 20]);
        }

        string message = Assert.Throws<CudaException>(() => KernelBundle.Open(path).Find("fill", Turing)).Message;
        Assert.Contains("reading fill failed, entry sm_75/fill.ptx claims", message, StringComparison.Ordinal);
    }

    [Fact]
    public void MissingFileIsOneLine() =>
        Assert.StartsWith(
            "kernel bundle /nowhere/kernels.zip: ",
            Assert.Throws<CudaException>(() => KernelBundle.Open("/nowhere/kernels.zip")).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("--arch", "ampere", "--arch: expected architectures like")]
    [InlineData("--output", "/nowhere/kernels.zip", "--output: expected a file in a folder that exists")]
    public void WrongOptionsOfTheCommandEndBeforeAnythingIsCompiled(string option, string value, string expected)
    {
        CliRun run = CliRun.Of("kernels", "build", option, value);
        Assert.Equal(2, run.Code);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void CancelledBuildLeavesNoFile()
    {
        using TemporaryFolder folder = new();
        using CancellationTokenSource cancellation = new();
        string path = folder.File("kernels.zip");
        Assert.Throws<OperationCanceledException>(() =>
            KernelBundle.Build(path, TestCompilers.All[0], [Turing], (_, _) => cancellation.Cancel(), cancellation.Token));
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    /// <summary>One bundle, made by the command.</summary>
    public sealed class Built : IDisposable
    {
        private readonly TemporaryFolder _folder = new();

        public Built()
        {
            Path = _folder.File("kernels.zip");
            CliRun run = CliRun.With(_ => [], ["kernels", "build", "--arch", "sm_75", "--output", Path], nvrtc: () => TestCompilers.All[0]);
            Assert.Equal(0, run.Code);
            Assert.Contains($"{KernelSources.Stems.Count} programs for sm_75", run.Out, StringComparison.Ordinal);
        }

        public string Path { get; }

        public string Manifest()
        {
            using ZipArchive archive = ZipFile.OpenRead(Path);
            using StreamReader reader = new(archive.GetEntry("manifest.json")!.Open());
            return reader.ReadToEnd();
        }

        /// <summary>What is said of the bundle with another manifest.</summary>
        public string Refused(string manifest)
        {
            string path = _folder.File($"{Guid.NewGuid():n}.zip");
            File.Copy(Path, path);
            using (ZipArchive archive = ZipFile.Open(path, ZipArchiveMode.Update))
            {
                archive.GetEntry("manifest.json")!.Delete();
                using Stream stream = archive.CreateEntry("manifest.json").Open();
                stream.Write(Encoding.UTF8.GetBytes(manifest));
            }

            return Assert.Throws<CudaException>(() => KernelBundle.Open(path)).Message;
        }

        public void Dispose() => _folder.Dispose();
    }
}
