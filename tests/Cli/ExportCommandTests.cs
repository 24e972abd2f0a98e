using System.Text;
using CoGrpo.Model.Images;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Tests.Model;
using CoGrpo.Tests.Rl.Benchmarks;

namespace CoGrpo.Tests.Cli;

/// <summary><c>eval export</c> of a tiny model.</summary>
public sealed class ExportCommandTests : IDisposable
{
    private static readonly string[] Metadata =
    [
        """{"tag": "single_object", "include": [{"class": "bench", "count": 1}], "prompt": "a photo of a bench"}""",
        """{"tag": "counting", "include": [{"class": "clock", "count": 2}], "exclude": [{"class": "clock", "count": 3}], "prompt": "a photo of two clocks"}""",
        """{"tag": "color_attr", "include": [{"class": "apple", "count": 1, "color": "green"}], "prompt": "a photo of a green apple \u2013 one"}""",
    ];

    private readonly TemporaryFolder _folder = new();

    public ExportCommandTests()
    {
        using CpuBackend backend = new(1);
        PublishedFolder.Write(_folder.File("model"), backend);
        File.WriteAllLines(_folder.File("metadata.jsonl"), Metadata);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void GenEval_export_passes_the_checker_and_goes_on_where_it_stopped()
    {
        CliRun run = GenEval("one");
        Assert.True(run.Code == 0, run.Error);
        Assert.Contains("12 pictures made, 0 kept, 32 x 32 pixels each", run.Out, StringComparison.Ordinal);
        Assert.Contains("the source has 3 prompts, the published benchmark 553", run.Error, StringComparison.Ordinal);
        Assert.Empty(OfficialLayouts.GenEval(_folder.File("one/images"), Metadata, 32, 32));
        Assert.Equal(
            12,
            Directory
                .GetFiles(_folder.File("one"), "*.png", SearchOption.AllDirectories)
                .Select(path => Convert.ToHexString(File.ReadAllBytes(path)))
                .Distinct()
                .Count()
        );

        // In parts, with what a killed run may leave and files that were cut off since.
        Assert.Equal(0, GenEval("two", "--limit", "1").Code);
        Assert.Equal(["00000"], Directory.GetDirectories(_folder.File("two/images")).Select(Path.GetFileName));
        string cut = _folder.File("two/images/00000/samples/0002.png"), kept = _folder.File("two/images/00000/samples/0001.png");
        File.WriteAllBytes(cut, File.ReadAllBytes(cut)[..50]);
        File.WriteAllText(_folder.File("two/images/00000/samples/.0003.png.5.tmp"), "half");
        run = GenEval("two");
        Assert.True(run.Code == 0, run.Error);
        Assert.Equal(Files("one"), Files("two"));
        DateTime written = File.GetLastWriteTimeUtc(kept);
        run = GenEval("two");
        Assert.Contains("0 pictures made, 12 kept", run.Out, StringComparison.Ordinal);
        Assert.Equal(written, File.GetLastWriteTimeUtc(kept));
    }

    [Fact]
    public void Other_settings_and_pictures_of_unknown_settings_are_refused()
    {
        Assert.Equal(0, GenEval("one", "--limit", "1").Code);
        foreach (
            (string[] options, string said) in new (string[], string)[]
            {
                (["--seed", "5"], "seed 0, now 5"),
                (["--set", "sampling.handMade.guidance=3"], "Guidance = 3"),
                (["--sampler", "reference"], "counts own, now reference"),
                (["--set", "sampling.width=64"], "size 32 x 32, now 64 x 32"),
            }
        )
        {
            CliRun run = GenEval("one", options);
            Assert.Equal(1, run.Code);
            Assert.Contains(said, run.Error, StringComparison.Ordinal);
            Assert.Contains("choose another --output", run.Error, StringComparison.Ordinal);
        }

        using (CpuBackend backend = new(1))
        {
            TinyRewards.WriteClip(_folder.File("model/more"), backend);
        }

        Assert.Contains("model ", GenEval("one").Error, StringComparison.Ordinal);
        File.WriteAllText(_folder.File("one/export.json"), "[]");
        Assert.Contains("wanted the settings of an export", GenEval("one").Error, StringComparison.Ordinal);
        File.Delete(_folder.File("one/export.json"));
        Assert.Contains("pictures of unknown settings", GenEval("one").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void DPG_export_has_the_four_pictures_of_an_item_in_order()
    {
        Directory.CreateDirectory(_folder.File("prompts"));
        File.WriteAllText(_folder.File("prompts/12.txt"), "A café with three windows.\nAnd a door.\n");
        File.WriteAllText(_folder.File("prompts/partiprompts3.txt"), "two owls");
        CliRun run = Export("dpg", _folder.File("prompts"), "out");
        Assert.True(run.Code == 0, run.Error);
        Assert.Empty(OfficialLayouts.Dpg(_folder.File("out/images"), ["12", "partiprompts3"], 32));
        Assert.Contains($"dist_eval.sh {_folder.File("out/images")} 32", run.Out, StringComparison.Ordinal);

        // sample draws picture i of the seed's noise; item 1 has pictures 4 to 7.
        Assert.Equal(
            0,
            CliRun
                .Of([
                    "sample",
                    "two owls",
                    "-n",
                    "8",
                    "-m",
                    _folder.File("model"),
                    "-o",
                    _folder.File("s"),
                    "--steps",
                    "2",
                    "--threads",
                    "1",
                    .. Size,
                ])
                .Code
        );
        RgbImage[] pictures = [.. Directory.GetFiles(_folder.File("s/samples")).Order(StringComparer.Ordinal).Skip(4).Select(PictureFile.Read)];
        RgbImage grid = PictureFile.Read(_folder.File("out/images/partiprompts3.png"));
        foreach ((int k, int x, int y) in new[] { (0, 0, 0), (1, 32, 0), (2, 0, 32), (3, 32, 32) })
        {
            for (int row = 0; row < 32; row++)
            {
                Assert.Equal(pictures[k].Pixels.AsSpan(3 * 32 * row, 3 * 32), grid.Pixels.AsSpan(3 * (((y + row) * 64) + x), 3 * 32));
            }
        }
    }

    [Fact]
    public void HPDv2_export_is_JPEG_or_the_same_pictures_without_loss()
    {
        string source = HpdFolder.Write(_folder.File("hpd"), 2);
        Assert.Equal(0, Export("hpsv2", source, "lossy").Code);
        Assert.Equal(0, Export("hpsv2", source, "exact", "--format", "png").Code);
        Assert.Empty(OfficialLayouts.Hpd(_folder.File("lossy/images"), 2, 32, 32, "JPEG"));
        Assert.Empty(OfficialLayouts.Hpd(_folder.File("exact/images"), 2, 32, 32, "PNG"));
        RgbImage exact = PictureFile.Read(_folder.File("exact/images/photo/00001.jpg"));
        Assert.Equal(JpegWriter.Encode(exact), File.ReadAllBytes(_folder.File("lossy/images/photo/00001.jpg")));
        Assert.Contains("format Jpeg, now Png", Export("hpsv2", source, "lossy", "--format", "png").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_interrupted_export_leaves_whole_files_and_says_130()
    {
        CliRun run = CliRun.With(
            _ => [],
            [
                "eval",
                "export",
                "geneval",
                "--source",
                _folder.File("metadata.jsonl"),
                "-m",
                _folder.File("model"),
                "-o",
                _folder.File("out"),
                "--steps",
                "2",
                "--threads",
                "1",
                .. Size,
            ],
            new CancellationToken(canceled: true)
        );
        Assert.Equal(130, run.Code);
        Assert.False(Directory.Exists(_folder.File("out/images/00000")));
        Assert.Equal(0, GenEval("out").Code);
    }

    [Theory]
    [InlineData("geneval", "{\"tag\": \"counting\"}", "something else in line 1")]
    [InlineData("geneval", "{\"tag\": \"a\", \"include\": [], \"prompt\": \"x\"}\n{\"tag\"", "line 2")]
    [InlineData("geneval", "{\"tag\": \"a\", \"include\": [], \"prompt\": \"\\ud800\"}", "line 1")]
    [InlineData("geneval", "\n\n", "got no line")]
    [InlineData("geneval", "ok\n\u0001bytes", "UTF-8")]
    [InlineData("dpg", "x", "there is no such folder")]
    [InlineData("hpsv2", "x", "there is no such folder")]
    public void Broken_sources_are_one_line_and_leave_nothing(string benchmark, string text, string said)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        if (text.Contains('\u0001', StringComparison.Ordinal))
        {
            bytes[Array.IndexOf(bytes, (byte)1)] = 0xFF;
        }

        File.WriteAllBytes(_folder.File("source"), bytes);
        OneLine(Export(benchmark, _folder.File("source"), "out"), 1, said);
        Assert.False(Directory.Exists(_folder.File("out")));
    }

    [Fact]
    public void Broken_folders_of_prompts_are_one_line()
    {
        string folder = HpdFolder.Write(_folder.File("hpd"), 2);
        foreach (
            (string text, string said) in new[]
            {
                ("[\"a\", 3]", "entry 2"),
                ("[\"a\", \" \"]", "entry 2"),
                ("{}", "wanted a JSON list of texts"),
                ("[]", "an empty list"),
                ("[\"a\",\n", "malformed JSON in line 2"),
            }
        )
        {
            File.WriteAllText(Path.Combine(folder, "photo.json"), text);
            OneLine(Export("hpsv2", folder, "out"), 1, said);
        }

        File.Delete(Path.Combine(folder, "photo.json"));
        OneLine(Export("hpsv2", folder, "out"), 1, "photo.json");
        Directory.CreateDirectory(_folder.File("prompts"));
        OneLine(Export("dpg", _folder.File("prompts"), "out"), 1, "got no .txt file");
        File.WriteAllText(_folder.File("prompts/a.b.txt"), "x");
        OneLine(Export("dpg", _folder.File("prompts"), "out"), 1, "a.b.txt");
        File.Delete(_folder.File("prompts/a.b.txt"));
        File.WriteAllText(_folder.File("prompts/a.txt"), " ");
        OneLine(Export("dpg", _folder.File("prompts"), "out"), 1, "a.txt");
        File.WriteAllText(_folder.File("prompts/a.txt"), "x");
        OneLine(Export("dpg", _folder.File("prompts"), "out", "--set", "sampling.width=64"), 1, "wanted squares");
        OneLine(Export("dpg", _folder.File("prompts"), "out", "--format", "png"), 2, "--format");
        OneLine(CliRun.Of("eval", "export", "geneval", "--source", _folder.File("metadata.jsonl")), 2, "emoji-scenes");
        OneLine(CliRun.Of("eval", "export", "coco", "--source", "x"), 2, "coco");
        Assert.False(Directory.Exists(_folder.File("out")));
    }

    private static void OneLine(CliRun run, int code, string said)
    {
        Assert.Equal(code, run.Code);
        Assert.Contains(said, run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.TrimEnd().Split('\n'), line => line.StartsWith("error:", StringComparison.Ordinal));
    }

    private static string[] Size => ["--set", "sampling.width=32", "--set", "sampling.height=32"];

    private CliRun GenEval(string output, params string[] args) => Export("geneval", _folder.File("metadata.jsonl"), output, args);

    private CliRun Export(string benchmark, string source, string output, params string[] args) =>
        CliRun.Of([
            "eval",
            "export",
            benchmark,
            "--source",
            source,
            "-m",
            _folder.File("model"),
            "-o",
            _folder.File(output),
            "--steps",
            "2",
            "--threads",
            "1",
            .. Size,
            .. args,
        ]);

    private string[] Files(string output) =>
        [
            .. Directory
                .GetFiles(_folder.File(output), "*", SearchOption.AllDirectories)
                .Order(StringComparer.Ordinal)
                .Select(path => $"{Path.GetRelativePath(_folder.File(output), path)} {Convert.ToHexString(File.ReadAllBytes(path))}"),
        ];
}
