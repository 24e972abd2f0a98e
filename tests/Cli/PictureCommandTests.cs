using CoGrpo.Model.Images;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Tests.Model;

namespace CoGrpo.Tests.Cli;

/// <summary><c>sample</c> on a model folder in the published layout.</summary>
public sealed class PictureCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public PictureCommandTests()
    {
        using CpuBackend backend = new(1);
        PublishedFolder.Write(_folder.File("model"), backend);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Any_prompt_is_drawn_at_the_size_asked_for()
    {
        CliRun run = Ask("one", "A red fox, 4k: \"wild\"!", "two owls", "-n", "2", "--width", "64", "--height", "32");
        Assert.True(run.Code == 0, run.Error);
        string[] files =
        [
            .. run.Out.TrimEnd().Split(Environment.NewLine).Select(line => Path.GetRelativePath(_folder.File("one"), line).Replace('\\', '/')),
        ];
        Assert.Equal(
            [
                "samples/0001-a-red-fox-4k-wild.png",
                "samples/0002-a-red-fox-4k-wild.png",
                "samples/0003-two-owls.png",
                "samples/0004-two-owls.png",
                "grid.png",
            ],
            files
        );
        RgbaImage picture = PngReader.Read(_folder.File("one/samples/0003-two-owls.png"));
        Assert.Equal((64, 32), (picture.Width, picture.Height));
        Assert.NotEqual(Bytes("one/samples/0001-a-red-fox-4k-wild.png"), Bytes("one/samples/0002-a-red-fox-4k-wild.png"));

        // The same picture alone: its noise is that of its number.
        Ask("two", "A red fox, 4k: \"wild\"!", "--width", "64", "--height", "32");
        Assert.Equal(Bytes("one/samples/0001-a-red-fox-4k-wild.png"), Bytes("two/samples/0001-a-red-fox-4k-wild.png"));
        Assert.False(File.Exists(_folder.File("two/grid.png")));
    }

    [Fact]
    public void Start_picture_mask_negative_prompt_and_seed_matter()
    {
        var source = new RgbImage(32, 32);
        new Random(1).NextBytes(source.Pixels);
        var mask = new RgbImage(32, 32);
        mask.Pixels.AsSpan(0, mask.Pixels.Length / 2).Fill(255);
        PngWriter.Write(_folder.File("source.png"), source);
        PngWriter.Write(_folder.File("mask.png"), mask);
        string[] from = ["--init", _folder.File("source.png")];
        string[][] variants =
        [
            ["--width", "32", "--height", "32"],
            ["--width", "32", "--height", "32", "--seed", "1"],
            ["--width", "32", "--height", "32", "--negative", "blurry, low quality, a photograph of nothing"],
            from,
            [.. from, "--strength", "0.5"],
            [.. from, "--mask", _folder.File("mask.png")],
        ];
        HashSet<string> seen = [];
        for (int i = 0; i < variants.Length; i++)
        {
            CliRun run = Ask($"v{i}", ["an owl", .. variants[i]]);
            Assert.True(run.Code == 0, run.Error);
            Assert.True(seen.Add(Convert.ToHexString(Bytes($"v{i}/samples/0001-an-owl.png"))) == (i != 3), $"variant {i}");
        }
    }

    /// <summary>Six steps: there the two rules count differently.</summary>
    [Fact]
    public void The_reference_counts_are_a_choice()
    {
        foreach (string sampler in (string[])["own", "reference"])
        {
            CliRun run = Ask(sampler, "an owl", "--width", "32", "--height", "32", "--sampler", sampler, "--steps", "6");
            Assert.True(run.Code == 0, run.Error);
            Assert.True(File.Exists(_folder.File($"{sampler}/samples/0001-an-owl.png")));
        }
    }

    [Theory]
    [InlineData(2, "--strength", "--strength", "0")]
    [InlineData(2, "--strength: expected --init", "--strength", "0.5")]
    [InlineData(2, "--mask: expected --init", "--mask", "x.png")]
    [InlineData(1, "none.png", "--init", "none.png")]
    [InlineData(1, "picture size: wanted width and height that are multiples of 8, got 33 x 32", "--width", "33", "--height", "32")]
    [InlineData(2, "sampling.width", "--width", "-1")]
    [InlineData(2, "--prompts-file", "--prompts-file", "none.txt")]
    [InlineData(1, "schedule_policy", "--schedule", ".")]
    public void Wrong_options_are_one_line_and_leave_nothing(int code, string said, params string[] options)
    {
        CliRun run = Ask("out", ["an owl", .. options]);
        Assert.Equal(code, run.Code);
        Assert.Contains(said, run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.TrimEnd().Split('\n'), line => line.StartsWith("error:", StringComparison.Ordinal));
        Assert.False(Directory.Exists(_folder.File("out")));
    }

    [Fact]
    public void Prompts_that_are_not_text_are_refused_with_their_line()
    {
        File.WriteAllBytes(_folder.File("p.txt"), [(byte)'a', (byte)'\n', 0xC3, 0x28, (byte)'\n']);
        CliRun run = Ask("out", "--prompts-file", _folder.File("p.txt"));
        Assert.Equal(2, run.Code);
        Assert.Contains("line 2", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_of_published_models_are_refused_for_the_shipped_one()
    {
        CliRun run = CliRun.Of("sample", "a dog", "--width", "64");
        Assert.Equal(2, run.Code);
        Assert.Contains("sampling.width", run.Error, StringComparison.Ordinal);
        run = CliRun.Of("sample", "a dog", "--negative", "x");
        Assert.Equal(2, run.Code);
        Assert.Contains("--negative", run.Error, StringComparison.Ordinal);
    }

    private CliRun Ask(string output, params string[] args) =>
        CliRun.Of([
            "sample",
            .. args,
            "-m",
            _folder.File("model"),
            "-o",
            _folder.File(output),
            "--threads",
            "1",
            .. args.Contains("--steps") ? (string[])[] : ["--steps", "2"],
        ]);

    private byte[] Bytes(string file) => File.ReadAllBytes(_folder.File(file));
}
