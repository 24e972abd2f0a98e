using CoGrpo.Model.Conversion;
using CoGrpo.Model.Images;
using CoGrpo.Model.TextToImage;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Files;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Tests.Model.Conversion;

public sealed class SyntheticFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>specs/meissonic.md 2.4, 5, 6.1: counts, and 0.1: sizes of the published files, which hold names and shapes as well.</summary>
    [Fact]
    public void Full_size_has_the_published_parameters_and_file_sizes()
    {
        Assert.Equal((867, 1_006_946_304, 4_027_886_416), Measure(NetworkFolder.TensorsOf(SyntheticModel.Full.Transformer)));
        Assert.Equal((277, 146_244_675, 585_009_980), Measure(NetworkFolder.TensorsOf(SyntheticModel.Full.Pictures)));
        Assert.Equal(
            (389, 354_032_640),
            Measure(NetworkFolder.TensorsOf(SyntheticModel.Full.Text)) is (int tensors, long parameters, _) ? (tensors, parameters) : default
        );
        Assert.Equal(3_994_323_336, Measure(NetworkFolder.TensorsOf(SyntheticModel.Full.WithoutResampling().Transformer)).Bytes);
    }

    [Fact]
    public void The_folder_makes_pictures_and_one_seed_is_one_folder()
    {
        foreach ((string name, ulong seed) in new[] { ("a", 3UL), ("b", 3UL), ("c", 4UL) })
        {
            Write(name, seed);
        }

        Assert.Equal(Files("a"), Files("b"));
        Assert.NotEqual(Files("a"), Files("c"));
        using var backend = new CpuBackend(1);
        using TextToImagePipeline pipeline = TextToImagePipeline.Load(_folder.File("a"), backend, new PipelineOptions { Height = 32, Width = 32 });
        var schedule = new HandMadeSchedule(new HandMadeSettings { Guidance = 3 });
        RgbImage fox = pipeline.Draw(new PictureRequest { Prompts = ["a red fox"], Steps = 2, Seed = 1 }, schedule)[0];
        RgbImage owl = pipeline.Draw(new PictureRequest { Prompts = ["an owl"], Steps = 2, Seed = 1 }, schedule)[0];
        Assert.NotEqual(fox.Pixels, owl.Pixels);
        Assert.True(fox.Pixels.Distinct().Count() > 50, "the picture is flat");
    }

    [Theory]
    [InlineData(SafetensorsType.F16)]
    [InlineData(SafetensorsType.BF16)]
    public void Other_types_hold_the_same_values_rounded(SafetensorsType type)
    {
        Write("whole", 3);
        SyntheticFolder.Write(_folder.File("half"), SyntheticModel.Tiny, 3, type, 1, new SilentConversion(), default);
        using SafetensorsFile whole = SafetensorsFile.Open(_folder.File("whole/transformer/diffusion_pytorch_model.safetensors"));
        using SafetensorsFile half = SafetensorsFile.Open(_folder.File("half/transformer/diffusion_pytorch_model.safetensors"));
        Assert.Equal(whole.Tensors.Keys, half.Tensors.Keys);
        foreach (string name in whole.Tensors.Keys)
        {
            Assert.Equal(type, half[name].Type);
            Assert.Equal(
                whole.ReadFloat32(name).Select(v => type == SafetensorsType.F16 ? (float)(Half)v : CoGrpo.Runtime.BFloat16.Round(v)),
                half.ReadFloat32(name)
            );
        }
    }

    private static (int Tensors, long Parameters, long Bytes) Measure(IReadOnlyList<SafetensorsTensor> tensors)
    {
        using var header = new MemoryStream();
        _ = new SafetensorsWriter(header, tensors, new Dictionary<string, string> { ["format"] = "pt" });
        return (tensors.Count, tensors.Sum(tensor => tensor.Count), header.Length + tensors.Sum(tensor => tensor.ByteCount));
    }

    private void Write(string name, ulong seed) =>
        SyntheticFolder.Write(_folder.File(name), SyntheticModel.Tiny, seed, SafetensorsType.F32, 1, new SilentConversion(), default);

    private string Files(string name) =>
        string.Join(
            '\n',
            Directory
                .EnumerateFiles(_folder.File(name), "*", SearchOption.AllDirectories)
                .Order(StringComparer.Ordinal)
                .Select(file =>
                    $"{Path.GetRelativePath(_folder.File(name), file)} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file)))}"
                )
        );
}
