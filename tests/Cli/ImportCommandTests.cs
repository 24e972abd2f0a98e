using System.Text.Json;

namespace CoGrpo.Tests.Cli;

/// <summary><c>eval import</c> beside scores computed by hand.</summary>
public sealed class ImportCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>
    /// Six tasks with 1 of 2, 1 of 1, 0 of 1, 3 of 4, 1 of 2 and 0 of 2 pictures correct: (0.5 + 1 + 0 + 0.75 + 0.5 + 0) / 6 = 2.75 / 6; by pictures
    /// it would be 6 of 12.
    /// </summary>
    [Fact]
    public void GenEval_is_the_mean_of_the_tasks_not_of_the_pictures()
    {
        (string, string)[] tasks =
        [
            ("single_object", "10"),
            ("two_object", "1"),
            ("counting", "0"),
            ("colors", "1110"),
            ("position", "10"),
            ("color_attr", "00"),
        ];
        List<string> lines = [];
        foreach ((string tag, string pictures) in tasks)
        {
            lines.AddRange(
                pictures.Select(
                    (c, k) =>
                        JsonSerializer.Serialize(
                            new
                            {
                                filename = $"img/{tag}/{k}.png",
                                tag,
                                prompt = tag,
                                correct = c == '1',
                                reason = "",
                                metadata = $"{{\"tag\":\"{tag}\"}}",
                                details = "{}",
                            }
                        )
                )
            );
        }

        CliRun run = Import("geneval", string.Join('\n', lines) + "\n", "-o", _folder.File("out"));
        Assert.True(run.Code == 0, run.Error);
        Assert.Equal("part,score,count\nsingle_object,0.500000,2\ntwo_object,1.000000,1\ncounting,0.000000,1\ncolors,0.750000,4\nposition,0.500000,2\ncolor_attr,0.000000,2\noverall,0.458333,\n",
            File.ReadAllText(_folder.File("out/geneval.csv")));
        Assert.Contains("50.00 % of 12 pictures are correct; 66.67 % of the prompts", run.Out, StringComparison.Ordinal);
        Assert.Contains("Not comparable: colors has 4 pictures, the published benchmark 376", run.Out, StringComparison.Ordinal);
        Assert.Contains("| overall | 0.4583 |", File.ReadAllText(_folder.File("out/geneval.md")), StringComparison.Ordinal);
    }

    /// <summary>Item means 0.75 and 0.5: 100 x 0.625.</summary>
    [Fact]
    public void DPG_is_a_hundred_times_the_mean_over_items()
    {
        const string Lines = "imgs/a, b/12.png, 1.0, 0.5, 0.75, 0.75, 0.75\nimgs/a, b/whoops3.png, 0.0, 1.0, 0.5, 0.5, 0.5\n";
        const string Summary = "Model: imgs\nL1 category scores:\n\tentity: 80.0\n\tglobal: 62.5\nL2 category scores:\n\tentity - whole: 80.0\nImage path: imgs\nSave results to: x.txt\nDPG-Bench score: 62.5\n";
        CliRun run = Import("dpg", Lines + Summary, "-o", _folder.File("out"));
        Assert.True(run.Code == 0, run.Error);
        Assert.Equal(
            "part,score,count\nL1 entity,80.000000,\nL1 global,62.500000,\nL2 entity - whole,80.000000,\noverall,62.500000,\n",
            File.ReadAllText(_folder.File("out/dpg.csv"))
        );
        Assert.Contains("Not comparable: 2 items of 4 pictures, the published benchmark has 1065 of 4.", run.Out, StringComparison.Ordinal);
        run = Import("dpg", Lines);
        Assert.Contains("62.50", run.Out, StringComparison.Ordinal);
        Assert.Contains("no summary", run.Out, StringComparison.Ordinal);
        foreach (
            (string text, string said) in new[]
            {
                (Lines + Summary.Replace("62.5\n", "62.6\n", StringComparison.Ordinal), "62.5000, got 62.6000"),
                (Lines + Lines + Summary, "12 again in line 3"),
                (Lines + "c.png, 1.0, 1.0\n", "with 1 instead of 4"),
                ("12.png, 1.0, 0.5, 0.5, 0.5, 0.7\n", "a mean of 0.7"),
                ("12.png, (0, 0, 512, 512), is there a dog?, yes\n", "not the one of details"),
                ("12.png, 1.0, nan, nan\n", "line 1"),
                ("12.png, 5.0, 5.0\n", "line 1"),
                ("", "got none"),
                (Lines + "Model: x\n\tentity: x\nDPG-Bench score: 62.5\n", "line 4"),
                (Lines + Summary + Summary, "a second one in line 12"),
                (Lines + "Model: x\n", "got none"),
            }
        )
        {
            Refused("dpg", text, said);
        }
    }

    [Fact]
    public void HPS_is_what_its_evaluator_printed()
    {
        const string Lines = "Loading model ...\n-----------benchmark score ---------------- \nimages anime           27.26 \t 0.1234\nimages concept-art     26.61 \t 0.2000\nimages photo           27.27 \t 0.1000\nimages paintings       26.66 \t 0.3000\n";
        CliRun run = Import("hpsv2", Lines + "images Average         26.94 \t\n", "-o", _folder.File("out"));
        Assert.True(run.Code == 0, run.Error);
        Assert.Equal(
            "part,score,count\nAnimation,27.260000,\nConcept-art,26.610000,\nPainting,26.660000,\nPhoto,27.270000,\noverall,26.940000,\n",
            File.ReadAllText(_folder.File("out/hpsv2.csv"))
        );

        // (27.26 + 26.61 + 27.27 + 26.66) / 4
        run = Import("hpsv2", Lines, "-o", _folder.File("out"));
        Assert.Contains("overall,26.950000,", File.ReadAllText(_folder.File("out/hpsv2.csv")), StringComparison.Ordinal);
        Assert.Contains("printed no average", run.Out, StringComparison.Ordinal);
        run = Import(
            "hpsv2",
            Lines
                .Replace("27.26", "2726.00", StringComparison.Ordinal)
                .Replace("26.61", "2661.00", StringComparison.Ordinal)
                .Replace("27.27", "2727.00", StringComparison.Ordinal)
                .Replace("26.66", "2666.00", StringComparison.Ordinal),
            "-o",
            _folder.File("out")
        );
        Assert.Contains("overall,26.950000,", File.ReadAllText(_folder.File("out/hpsv2.csv")), StringComparison.Ordinal);
        Assert.Contains("twice", run.Out, StringComparison.Ordinal);
        Refused("hpsv2", Lines + "images anime 27.26 0.1\n", "line 7");
        Refused("hpsv2", Lines + "other Average 27.26\n", "line 7");
        Refused("hpsv2", Lines.Replace("images photo", "images drawbench", StringComparison.Ordinal), "got none for photo");
        Refused("hpsv2", "x anime 272600.0\n", "at most 100");
    }

    [Theory]
    [InlineData("", "got no line")]
    [InlineData("{\"tag\":\"colors\",\"filename\":\"a\",\"correct\":true}\n{\"tag\":", "malformed JSON")]
    [InlineData("[]", "line 1")]
    [InlineData("{\"tag\":\"colors\",\"filename\":\"a\",\"correct\":1}", "true or false in line 1")]
    [InlineData("{\"tag\":\"colours\",\"filename\":\"a\",\"correct\":true}", "\"colours\"")]
    [InlineData("{\"tag\":\"colors\",\"filename\":\"a\",\"correct\":true}\n\n{\"tag\":\"colors\",\"filename\":\"a\",\"correct\":true}", "a again")]
    public void Broken_results_of_GenEval_are_one_line(string text, string said) => Refused("geneval", text, said);

    [Fact]
    public void Missing_and_unreadable_files_are_one_line()
    {
        foreach (string benchmark in (string[])["geneval", "dpg", "hpsv2"])
        {
            CliRun run = CliRun.Of("eval", "import", benchmark, _folder.File("none"));
            Assert.Equal(1, run.Code);
            Assert.Contains("there is no such file", run.Error, StringComparison.Ordinal);
            File.WriteAllBytes(_folder.File("bytes"), [(byte)'a', (byte)'\n', 0xC3, 0x28]);
            run = CliRun.Of("eval", "import", benchmark, _folder.File("bytes"));
            Assert.Contains("other bytes in line 2", run.Error, StringComparison.Ordinal);
        }
    }

    private void Refused(string benchmark, string text, string said)
    {
        CliRun run = Import(benchmark, text);
        Assert.Equal(1, run.Code);
        Assert.Contains(said, run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
    }

    private CliRun Import(string benchmark, string text, params string[] args)
    {
        File.WriteAllText(_folder.File("results"), text);
        return CliRun.Of(["eval", "import", benchmark, _folder.File("results"), .. args]);
    }
}
