using System.Globalization;
using CoGrpo.Cli;
using CoGrpo.Rl.Ablation;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Evaluation;
using CoGrpo.Rl.Logging;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Tests.Cli;

/// <summary>The ablate command on a tiny configuration: two arms, two seeds.</summary>
public sealed class AblateCommandTests : IDisposable
{
    private static readonly string[] Tiny =
    [
        "sampling.steps=4",
        "train.model.stepsTrained=2",
        "train.model.batch=12",
        "train.schedule.batch=16",
        "train.cycles=[{\"model\":1,\"schedule\":1}]",
        "train.evaluation.promptsPerTask=1",
        "train.evaluation.samples=2",
        "train.checkpointEvery=1",
    ];

    private static readonly string[] Written = ["tables.md", "table-5b.csv", "table-5b.svg"];

    private readonly string _root = Directory.CreateTempSubdirectory("cogrpo-ablate-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Tables_are_what_the_run_folders_hold_and_an_interrupted_study_gives_the_same_bytes()
    {
        string whole = Path.Combine(_root, "whole");
        CliRun run = Ablate(whole);
        Assert.True(run.Code == 0, run.Error);
        Assert.Contains("run 4 of 4, co-grpo, seed 7: train CoGrpo: 0/2", run.Error, StringComparison.Ordinal);
        Assert.Contains(Path.Combine(whole, "table-5b.svg"), run.Out, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(whole, "base-seed-3", "model")));
        Assert.True(Directory.Exists(Path.Combine(whole, "co-grpo-seed-3", "model")));
        CheckCsv(whole);
        Assert.Contains("| Co-GRPO | 2 | 368 | ", File.ReadAllText(Path.Combine(whole, "tables.md")), StringComparison.Ordinal);

        string interrupted = Path.Combine(_root, "interrupted");
        using (var source = new CancellationTokenSource())
        using (ComputeDevice device = ComputeDevice.Cpu())
        {
            Assert.Throws<OperationCanceledException>(() =>
                Study(interrupted).Execute(device, resume: false, new Stopper(source, "run 2 of 4, co-grpo, seed 3: train"), source.Token)
            );
        }

        Assert.False(File.Exists(Path.Combine(interrupted, "tables.md")));
        Assert.False(File.Exists(Path.Combine(interrupted, "co-grpo-seed-3", "scores.json")));
        Assert.NotEmpty(Directory.GetDirectories(Path.Combine(interrupted, "co-grpo-seed-3", "checkpoints"), "step-*"));
        string finished = Path.Combine(interrupted, "base-seed-3", "metrics.jsonl");
        DateTime written = File.GetLastWriteTimeUtc(finished);

        CliRun refused = Ablate(interrupted);
        Assert.Equal(1, refused.Code);
        Assert.Contains("add --resume", Line(refused), StringComparison.Ordinal);
        CliRun resumed = Ablate(interrupted, "--resume");
        Assert.True(resumed.Code == 0, resumed.Error);
        Assert.Contains("run 1 of 4, base, seed 3: finished before", resumed.Error, StringComparison.Ordinal);
        Assert.Equal(written, File.GetLastWriteTimeUtc(finished));
        foreach (string file in Written)
        {
            Assert.Equal(File.ReadAllBytes(Path.Combine(whole, file)), File.ReadAllBytes(Path.Combine(interrupted, file)));
            File.Delete(Path.Combine(interrupted, file));
        }

        // The tables come from files alone: nothing is run again.
        CliRun again = Ablate(interrupted, "--resume");
        Assert.Equal(4, again.Error.Split("finished before").Length - 1);
        Assert.DoesNotContain("train", again.Error, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllBytes(Path.Combine(whole, "tables.md")), File.ReadAllBytes(Path.Combine(interrupted, "tables.md")));
        Broken(interrupted);
    }

    [Theory]
    [InlineData("--seed: expected --seeds", "--seed", "1")]
    [InlineData("--tables: expected some of 2, 5a, 5b, 5c, 5d, found 9", "--tables", "2,9")]
    [InlineData("--seeds: expected whole numbers from 0 on, found -1", "--seeds", "1,-1")]
    [InlineData("--seeds: expected one or more different entries", "--seeds", "1,2,1")]
    [InlineData("--tables: expected one or more different entries", "--tables", ",")]
    [InlineData("ablate: train.cycles: expected iterations of model and schedule", "--set", "train.cycles=[{\"model\":1}]")]
    public void Wrong_options_are_a_usage_error(string expected, params string[] options)
    {
        CliRun run = CliRun.Of(["ablate", "--output", Path.Combine(_root, "none"), .. options]);
        Assert.Equal(2, run.Code);
        Assert.StartsWith($"error: {expected}", Line(run), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_root, "none")));
    }

    /// <summary>Each kind of broken folder of a finished study stops the command before it runs anything.</summary>
    private static void Broken(string folder)
    {
        string run = Path.Combine(folder, "co-grpo-seed-7");
        foreach (
            (string file, Func<string, string> damage, string expected) in new (string, Func<string, string>, string)[]
            {
                ("scores.json", text => text[..(text.Length / 2)], "wanted the scores of a finished run"),
                (
                    "scores.json",
                    text => text.Replace("\"steps\": 5", "\"steps\": 6", StringComparison.Ordinal),
                    "wanted scores at 5 steps, found 2, 3, 4, 6"
                ),
                ("metrics.jsonl", text => text[..text.IndexOf('\n', StringComparison.Ordinal)], "wanted 2 iterations, found 0"),
                ("metrics.jsonl", text => text + "{", "wanted a JSON object of metrics"),
                ("config.json", text => text[..(text.Length / 2)], "found a file that cannot be used"),
                ("config.json", text => text.Replace("\"seed\": 7", "\"seed\": 8", StringComparison.Ordinal), "found one with others"),
            }
        )
        {
            string path = Path.Combine(run, file);
            string good = File.ReadAllText(path);
            File.WriteAllText(path, damage(good));
            CliRun refused = Ablate(folder, "--resume");
            Assert.Equal(1, refused.Code);
            Assert.StartsWith($"error: {run}", Line(refused), StringComparison.Ordinal);
            Assert.Contains(expected, refused.Error, StringComparison.Ordinal);
            File.WriteAllText(path, good);
        }
    }

    /// <summary>Mean and deviation of two seeds, by hand, for every row.</summary>
    private static void CheckCsv(string folder)
    {
        string[] lines = File.ReadAllLines(Path.Combine(folder, "table-5b.csv"));
        Assert.Equal("arm,steps,iterations,forward_equivalents,score,mean,deviation,seed_3,seed_7", lines[0]);
        var rows = lines[1..].Select(line => line.Replace("\"base, hand-made schedule\"", "base", StringComparison.Ordinal).Split(',')).ToList();
        Assert.Equal(2 * 4 * 10, rows.Count);
        foreach (string[] row in rows)
        {
            double[] seeds =
            [
                .. new[] { 3, 7 }.Select(seed =>
                    Score(folder, row[0] == "base" ? "base" : "co-grpo", seed, int.Parse(row[1], CultureInfo.InvariantCulture), row[4])
                ),
            ];
            Assert.Equal(seeds, row[7..].Select(Number));
            Assert.Equal((seeds[0] + seeds[1]) / 2, Number(row[5]), 1e-12);
            Assert.Equal(Math.Abs(seeds[0] - seeds[1]) / Math.Sqrt(2), Number(row[6]), 1e-12);
        }

        Assert.Contains(rows, row => Number(row[6]) > 0);
        static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
    }

    private static double Score(string folder, string arm, int seed, int steps, string name)
    {
        ScoreSheet sheet = ScoreFile.Read(Path.Combine(folder, $"{arm}-seed-{seed}", "scores.json")).Single(e => e.Steps == steps).Sheet;
        return sheet.Means.Concat(sheet.Parts.Select(part => part with { Name = $"judge/{part.Name}" })).Single(score => score.Name == name).Value;
    }

    private static AblationStudy Study(string folder) =>
        new(overrides => ConfigurationLoader.Load(null, [.. Tiny, .. overrides]), ["5b"], [3, 7], folder);

    private static CliRun Ablate(string folder, params string[] more) =>
        CliRun.Of([
            "ablate",
            "--tables",
            "5b",
            "--seeds",
            "3,7",
            "--output",
            folder,
            .. Tiny.SelectMany(setting => new[] { "--set", setting }),
            .. more,
        ]);

    private static string Line(CliRun run) => Assert.Single(run.Error.TrimEnd().Split('\n'));

    /// <summary>Asks to stop at the first report of a piece of work.</summary>
    private sealed class Stopper(CancellationTokenSource source, string start) : IProgressReporter
    {
        private bool _here;

        public void Begin(string title, long total, long done = 0) => _here = title.StartsWith(start, StringComparison.Ordinal);

        public void Report(long done, string message)
        {
            if (_here && done == 1)
            {
                source.Cancel();
            }
        }

        public void Metrics(string line)
        {
        }

        public void Warning(string text)
        {
        }

        public void End()
        {
        }
    }
}
