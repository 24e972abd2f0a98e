using CoGrpo.Model;
using CoGrpo.Model.Images;
using CoGrpo.Model.Meissonic;
using CoGrpo.Model.TextToImage;
using CoGrpo.Model.Vq;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Sampling;
using CoGrpo.Tests.Rl;

namespace CoGrpo.Tests.Model;

/// <summary>Pictures from a small model folder in the published layout.</summary>
public sealed class TextToImagePipelineTests : IDisposable
{
    private const int Side = 32;

    private static readonly HandMadeSchedule Schedule = new(new HandMadeSettings { Guidance = 3 });

    private readonly TemporaryFolder _folder = new();
    private readonly CpuBackend _backend = new(1);
    private readonly TextToImagePipeline _pipeline;

    public TextToImagePipelineTests()
    {
        PublishedFolder.Write(_folder.Path, _backend);
        _pipeline = TextToImagePipeline.Load(_folder.Path, _backend, new PipelineOptions { Height = Side, Width = 2 * Side });
    }

    public void Dispose()
    {
        _pipeline.Dispose();
        _backend.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void OneSeedIsOneSetOfPictures()
    {
        PictureRequest request = new() { Prompts = ["a red fox", "two owls"], PicturesPerPrompt = 2, Steps = 3, Seed = 5 };
        IReadOnlyList<RgbImage> first = _pipeline.Draw(request, Schedule), second = _pipeline.Draw(request, Schedule);
        Assert.Equal(4, first.Count);
        Assert.All(first.Zip(second), pair => Assert.Equal(pair.First.Pixels, pair.Second.Pixels));
        Assert.Equal((2 * Side, Side), (first[0].Width, first[0].Height));
        Assert.NotEqual(first[0].Pixels, first[1].Pixels);
        using TextToImagePipeline wide = TextToImagePipeline.Load(
            _folder.Path,
            _backend,
            new PipelineOptions
            {
                Height = Side,
                Width = 2 * Side,
                MicroBatch = 3,
            }
        );
        Assert.All(first.Zip(wide.Draw(request, Schedule)), pair => Assert.Equal(pair.First.Pixels, pair.Second.Pixels));
    }

    [Fact]
    public void PromptNegativePromptAndConditionsAllMatter()
    {
        PictureRequest request = new() { Prompts = ["a red fox"], Steps = 3, Seed = 5 };
        byte[] plain = Draw(request);
        Assert.NotEqual(plain, Draw(request with { Prompts = ["a blue whale"] }));
        Assert.NotEqual(plain, Draw(request with { NegativePrompt = "blurry, low quality" }));
        Assert.NotEqual(plain, Draw(request with { MicroConditions = [900, 700, 30, 10, 3] }));
        Assert.Equal(plain, Draw(request));
        Assert.Equal(plain, Draw(request with { MicroConditions = [2 * Side, Side, 0, 0, 6] }));
    }

    /// <summary>What is outside of the mask keeps its codes at any strength; with the whole strength the region is all new.</summary>
    [Theory]
    [InlineData(1.0)]
    [InlineData(0.5)]
    public void AMaskKeepsWhatItDoesNotCover(double strength)
    {
        RgbImage source = Noise(), mask = new(2 * Side, Side);
        for (int y = 0; y < Side; y++)
        {
            mask.Pixels.AsSpan(3 * y * 2 * Side, 3 * Side).Fill(255);
        }

        var watch = new CanvasWatch(_backend);
        _pipeline.Draw(
            new PictureRequest
            {
                Prompts = ["x"],
                Steps = 8,
                Seed = 3,
                Source = source,
                Mask = mask,
                Strength = strength,
            },
            Schedule,
            watch
        );
        int[] codes = Encode(source);
        int masked = _pipeline.Model.Transformer.Config.MaskToken;
        Assert.Equal(strength == 1 ? 8 : 4, watch.Canvases.Count);
        Assert.All(watch.Canvases, canvas => Assert.All(Outside(canvas), place => Assert.Equal(codes[place], canvas[place])));
        int[] first = watch.Canvases[0];
        int unknown = first.Count(code => code == masked);
        if (strength == 1)
        {
            Assert.Equal(codes.Length / 2, unknown);
        }
        else
        {
            Assert.InRange(unknown, 1, (codes.Length / 2) - 1);
        }

        // The count follows the schedule as a share of the region.
        int step = 8 - watch.Canvases.Count;
        Assert.Equal(
            Math.Clamp((int)Math.Floor((codes.Length / 2 * Math.Cos((step + 1) / 16.0 * Math.PI)) + 1e-7), 1, unknown - 1),
            watch.Canvases[1].Count(code => code == masked)
        );
    }

    [Fact]
    public void StrengthDecidesHowMuchOfTheSourceStays()
    {
        RgbImage source = Noise();
        int[] codes = Encode(source);
        int Kept(double strength)
        {
            var watch = new CanvasWatch(_backend);
            _pipeline.Draw(new PictureRequest { Prompts = ["x"], Steps = 16, Seed = 3, Source = source, Strength = strength }, Schedule, watch);
            return watch.Canvases[0].Zip(codes).Count(pair => pair.First == pair.Second);
        }

        int[] kept = [Kept(1), Kept(0.75), Kept(0.5), Kept(0.25)];
        Assert.Equal(0, kept[0]);
        Assert.Equal(kept.Order(), kept);
        Assert.True(kept[3] > codes.Length / 2, $"{kept[3]} of {codes.Length}");
    }

    [Fact]
    public void RequestsThatContradictThemselvesAreOneLine()
    {
        PictureRequest request = new() { Prompts = ["x"], Steps = 2 };
        foreach ((PictureRequest wrong, string said) in new[]
        {
            (request with { Prompts = [] }, "a prompt"),
            (request with { Strength = 0 }, "strength"),
            (request with { Strength = 0.5 }, "source"),
            (request with { Mask = new RgbImage(2 * Side, Side) }, "source"),
            (request with { Source = new RgbImage(Side, Side) }, "source: wanted a picture of 64 x 32, got 32 x 32"),
            (request with { MicroConditions = [1, 2] }, "micro-conditions"),
        })
        {
            string message = Assert.ThrowsAny<ArgumentException>(() => _pipeline.Draw(wrong, Schedule)).Message;
            Assert.Contains(said, message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', message);
        }

        Assert.Contains(
            "multiples of 8",
            Assert
                .Throws<ModelException>(() => TextToImagePipeline.Load(_folder.Path, _backend, new PipelineOptions { Height = 36, Width = 36 }))
                .Message,
            StringComparison.Ordinal
        );
    }

    private static IEnumerable<int> Outside(int[] canvas) => Enumerable.Range(0, canvas.Length).Where(i => i % 16 >= 8);

    private static RgbImage Noise()
    {
        var image = new RgbImage(2 * Side, Side);
        new Random(1).NextBytes(image.Pixels);
        return image;
    }

    private byte[] Draw(PictureRequest request) => _pipeline.Draw(request, Schedule)[0].Pixels;

    private int[] Encode(RgbImage picture)
    {
        using VqModel model = VqModel.Load(_folder.File("vqvae"), _backend);
        using VqTokenizer tokenizer = new(model, Side / 4, 2 * Side / 4, 431);
        return tokenizer.Encode(picture);
    }

    /// <summary>Keeps the canvas before each step.</summary>
    private sealed class CanvasWatch(CpuBackend backend) : ISampleObserver
    {
        public List<int[]> Canvases { get; } = [];

        public int RecordingVersion => CoGrpo.Runtime.Backends.IRecording.Never;

        public void OnStep(in SampleStep step)
        {
            int[] canvas = new int[step.Canvas.Shape.Count];
            backend.Download<int>(step.Canvas, canvas);
            Canvases.Add(canvas);
        }

        public void OnImages(int first, int images, int steps)
        {
        }
    }
}
