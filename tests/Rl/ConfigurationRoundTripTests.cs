using CoGrpo.Rl.Configuration;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace CoGrpo.Tests.Rl;

public sealed class ConfigurationRoundTripTests
{
    private static readonly string[] Directories = ["runs/a", "C:\\runs\\\"b\"", "läufe/絵文字", "a\nb", "true", "12"];

    [Property(MaxTest = 300)]
    public bool Writing_and_reading_gives_the_same_configuration(
        NonNegativeInt seed,
        PositiveInt steps,
        NormalFloat rate,
        NormalFloat sigma,
        bool flag,
        PositiveInt groups,
        byte pick,
        NonEmptyArray<PositiveInt> cycles
    )
    {
        double small = Math.Clamp(Math.Abs(rate.Get) % 1, double.Epsilon, 1);
        double width = Math.Clamp(Math.Abs(sigma.Get), 1e-300, 10);
        RunConfiguration start = new();
        RunConfiguration original = start with
        {
            Seed = ((long)seed.Get << 31) + seed.Get,
            Device = flag ? DeviceName.Cuda : DeviceName.Cpu,
            Sampling = start.Sampling with
            {
                Steps = 4 + steps.Get % 60,
                HandMade = start.Sampling.HandMade with { Guidance = 1.000001 + width, Table1Literal = flag },
            },
            Schedule = start.Schedule with
            {
                Sigma = [width, small, 0.1, 10],
                Mode = (ScheduleMode)(pick % 2),
                Actions = [(ScheduleActionName)(pick % 4)],
            },
            Pretrain = start.Pretrain with
            {
                LearningRate = small,
                TaskWeights = new() { Two = width },
            },
            Train = start.Train with
            {
                Cycles = [.. cycles.Get.Select(c => new CycleConfiguration { Model = c.Get, Schedule = c.Get % 7 })],
                Model = start.Train.Model with
                {
                    Group = 5, Batch = 5 * groups.Get, StepsTrained = pick % 2 * (4 + (steps.Get % 60)), CfgGrad = (GuidanceGradient)(pick % 3),
                    ClipEpsilonHigh = flag ? small : null, ActionsInModelPhase = (ActionChoice)(pick % 2), RecomputeBlocks = flag,
                    Lora = new() { Rank = pick % 9, Alpha = width, Targets = flag ? ["to_q", "mlp"] : ["attention"] },
                },
                RewardMix = (RewardMix)(pick % 2),
            },
            Output = new() { Directory = Directories[pick % Directories.Length] },
        };

        string text = ConfigurationLoader.Write(original);
        RunConfiguration read = ConfigurationLoader.Parse(text, "config.json");
        return ConfigurationLoader.Write(read) == text
            && read.Seed == original.Seed && read.Schedule.Sigma.SequenceEqual(original.Schedule.Sigma)
            && read.Sampling == original.Sampling && read.Pretrain with { Betas = original.Pretrain.Betas } == original.Pretrain
            && read.Train.Model.Lora.Targets.SequenceEqual(original.Train.Model.Lora.Targets)
            && read.Train.Model with
            {
                Betas = original.Train.Model.Betas,
                Lora = read.Train.Model.Lora with { Targets = original.Train.Model.Lora.Targets },
            } == original.Train.Model
            && read.Train.Cycles.SequenceEqual(original.Train.Cycles)
            && read.Output == original.Output;
    }

    [Property(MaxTest = 500)]
    public Property Any_text_is_read_or_refused_with_one_line()
    {
        Gen<string> pieces = Gen.Elements(
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"seed\"",
            "\"train\"",
            "\"model\"",
            "\"sigma\"",
            "1",
            "-1e400",
            "null",
            "true",
            "\"all\"",
            "// x\n",
            "\n",
            "\"\\u00e9\"",
            "x"
        );
        return Prop.ForAll(
            Arb.From(pieces.ListOf().Select(list => string.Concat(list))),
            text => OneLineOrNothing(text, []) && OneLineOrNothing("{}", [text])
        );
    }

    [Fact]
    public void Presets_survive_the_round_trip()
    {
        foreach (
            RunConfiguration preset in (RunConfiguration[])
                [
                    Presets.Of(PresetName.EmojiScenes),
                    Presets.Of(PresetName.Paper) with
                    {
                        Data = new() { Name = DataName.Prompts, PromptFiles = [Path.GetFullPath("p.txt")] },
                    },
                ]
        )
        {
            string text = ConfigurationLoader.Write(preset);
            Assert.Equal(text, ConfigurationLoader.Write(ConfigurationLoader.Parse(text, "config.json")));
        }
    }

    [Fact]
    public void Shipped_configurations_load()
    {
        string[] files = Directory.GetFiles(Path.Combine(RepositoryRoot(), "configs"), "*.json");
        Assert.True(files.Length >= 3);
        foreach (string file in files)
        {
            string text = ConfigurationLoader.Write(ConfigurationLoader.Load(file, []));
            Assert.Equal(text, ConfigurationLoader.Write(ConfigurationLoader.Parse(text, file)));
        }
    }

    private static bool OneLineOrNothing(string json, string[] overrides)
    {
        try
        {
            ConfigurationLoader.Parse(json, "x.json", overrides);
            return true;
        }
        catch (ConfigurationException error)
        {
            return !error.Message.Contains('\n', StringComparison.Ordinal) && error.Next.Length > 0;
        }
    }

    private static string RepositoryRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "CoGrpo.sln")))
        {
            folder = folder.Parent;
        }

        return folder!.FullName;
    }
}
