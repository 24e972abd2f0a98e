using CoGrpo.Runtime.Backends;
using CoGrpo.Model;
using CoGrpo.Model.Images;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.EmojiScenes;
using CoGrpo.Rl.Logging;
using CoGrpo.Rl.Serving;

namespace CoGrpo.Tests.Rl.Serving;

public sealed class SampleServiceTests : IDisposable
{
    private static readonly ComputeDevice Device = ComputeDevice.Cpu();

    private static readonly Prompt[] Prompts = [Prompt.Parse("a dog"), Prompt.Parse("three cats"), Prompt.Parse("a red heart and a blue circle")];

    private readonly ServingModel _model = new();

    public void Dispose() => _model.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Files_are_the_same_at_any_number_of_lanes_and_in_a_second_run(bool learned)
    {
        string[] one = Sample("one", lanes: 1, learned);
        string[] three = Sample("three", lanes: 3, learned);
        Assert.Equal(
            [
                "0001-a-dog.png",
                "0002-a-dog.png",
                "0003-three-cats.png",
                "0004-three-cats.png",
                "0005-a-red-heart-and-a-blue-circle.png",
                "0006-a-red-heart-and-a-blue-circle.png",
                "grid.png",
            ],
            one.Select(Path.GetFileName)
        );
        foreach ((string a, string b) in one.Zip(three))
        {
            Assert.Equal(File.ReadAllBytes(a), File.ReadAllBytes(b));
        }

        byte[] before = File.ReadAllBytes(one[0]);
        File.WriteAllText(one[0], "something else");
        Sample("one", lanes: 1, learned);
        Assert.Equal(before, File.ReadAllBytes(one[0]));
    }

    [Fact]
    public void Pictures_are_the_layouts_and_the_grid_is_four_times_as_large()
    {
        string[] files = Sample("run", lanes: 2, learned: false);
        RgbaImage picture = PngReader.Read(files[0]);
        Assert.Equal((32, 32), (picture.Width, picture.Height));
        RgbaImage grid = PngReader.Read(files[^1]);
        Assert.Equal(8 + (2 * (128 + 8)), grid.Width);
    }

    [Fact]
    public void Other_seeds_and_the_learned_schedule_give_other_pictures()
    {
        byte[] first = File.ReadAllBytes(Sample("a", 1, learned: false)[^1]);
        Assert.NotEqual(first, File.ReadAllBytes(Sample("b", 1, learned: false, seed: 1)[^1]));
        Assert.NotEqual(first, File.ReadAllBytes(Sample("c", 1, learned: true)[^1]));
    }

    [Fact]
    public void Cancellation_stops_before_the_next_batch()
    {
        using ServingSession session = ServingSession.Open(_model.Configuration("cancelled"), Device, null);
        Assert.Throws<OperationCanceledException>(() =>
            SampleService.Run(session, _model.Configuration("cancelled"), Prompts, 1, new SilentProgress(), new CancellationToken(canceled: true)));
        Assert.False(File.Exists(Path.Combine(_model.At("cancelled"), "grid.png")));
    }

    [Fact]
    public void What_does_not_fit_is_told()
    {
        RunConfiguration configuration = _model.Configuration("x");
        Assert.Contains(
            "transformer",
            Assert
                .Throws<ModelException>(() =>
                    ServingSession.Open(configuration with { Model = new() { Checkpoint = _model.At("none") } }, Device, null)
                )
                .Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "schedule_policy",
            Assert.Throws<ModelException>(() => ServingSession.Open(configuration, Device, _model.At("none"))).Message,
            StringComparison.Ordinal
        );
        RunConfiguration prompts = configuration with
        {
            Data = new() { Name = DataName.Prompts, PromptFiles = ["p.txt"] },
        };
        Assert.Contains(
            "data.name",
            Assert.Throws<ConfigurationException>(() => ServingSession.Open(prompts, Device, null)).Message,
            StringComparison.Ordinal
        );
    }

    private string[] Sample(string output, int lanes, bool learned, long seed = 0)
    {
        RunConfiguration configuration = _model.Configuration(output, lanes) with { Seed = seed };
        using ServingSession session = ServingSession.Open(configuration, Device, learned ? _model.Checkpoint : null);
        (IReadOnlyList<SampledPicture> pictures, string grid) = SampleService.Run(
            session,
            configuration,
            Prompts,
            2,
            new SilentProgress(),
            CancellationToken.None
        );
        Assert.Equal(
            Directory.GetFiles(Path.Combine(_model.At(output), "samples")).Order(StringComparer.Ordinal),
            pictures.Select(picture => picture.Path)
        );
        return [.. pictures.Select(picture => picture.Path), grid];
    }
}
