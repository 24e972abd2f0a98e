using System.CommandLine;
using System.Text;
using CoGrpo.Cli;
using CoGrpo.Cli.Commands;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Serving;
using CoGrpo.Tests.Runtime.Files.Torch;

namespace CoGrpo.Tests.Cli;

public sealed class CommandLineTests
{
    private static (CliRun Run, T? Request) Ask<T>(Func<CliContext, CommandBody<T>, Command> make, params string[] args)
        where T : class
    {
        T? seen = null;
        CliRun run = CliRun.With(context => [make(context, (request, _, _, _) => { seen = request; return 0; })], args);
        return (run, seen);
    }

    private static CliRun Throwing(Exception error, bool debug = false)
        => CliRun.With(context => [new TrainCommand(context, (_, _, _, _) => throw error)], ["train"], debug: debug);

    [Theory]
    [InlineData("docter", "error: unknown command docter; did you mean doctor? see cogrpo-native --help")]
    [InlineData("zzzzzzzzzzzz", "error: unknown command zzzzzzzzzzzz; see cogrpo-native --help")]
    [InlineData("doctor --devise cpu", "error: unknown option --devise; did you mean --device? see cogrpo-native doctor --help")]
    [InlineData("merge --output x", "error: --lora: expected adapters to merge, found none; name their folder")]
    [InlineData("merge --output x --lora nowhere", "error: --lora: expected adapters, found no file or folder nowhere; check the path")]
    [InlineData("eval --lora-scale 2", "error: --lora-scale: expected --lora with it, found none; name the adapters")]
    [InlineData("eval --lora-scale 1e9", "error: --lora-scale: expected a number from -100 to 100, found 1000000000; correct the option")]
    [InlineData("plan --memory 0", "error: --memory: expected GB above 0, at most 1000000, found 0; correct the option")]
    [InlineData("plan --gpu a100 --device cpu", "error: --gpu: expected no --device cpu with it, found both; leave one out")]
    [InlineData(
        "plan --gpu a10",
        "error: Argument 'a10' not recognized. Must be one of: 'a100-40' 'a100' 'h100' 'rtx4090'; see cogrpo-native plan --help"
    )]
    [InlineData("doctor x", "error: unknown argument x; see cogrpo-native doctor --help")]
    [InlineData("inspect", "error: Required argument 'FILE-or-FOLDER' missing for command: 'inspect'; see cogrpo-native inspect --help")]
    [InlineData(
        "convert",
        "error: no command given: expected one of import, export, verify, inspect, synthesize, synthesize-reward; see cogrpo-native convert --help"
    )]
    [InlineData("convert imprt a b", "error: unknown command imprt; did you mean import? see cogrpo-native convert --help")]
    [InlineData("convert import a", "error: Required argument 'OUT' missing for command: 'import'; see cogrpo-native convert import --help")]
    [InlineData("convert import a b --dtyp fp16", "error: unknown option --dtyp; did you mean --dtype? see cogrpo-native convert import --help")]
    [InlineData("convert synthesize a --shards 0", "error: --shards: expected a whole number from 1 to 99999, found 0; correct the option")]
    [InlineData("doctor --device gpu", "error: Argument 'gpu' not recognized. Must be one of: 'cpu' 'cuda'; see cogrpo-native doctor --help")]
    public void Usage_errors_are_one_line_and_code_2(string line, string expected)
    {
        CliRun run = CliRun.Of(line.Split(' '));
        Assert.Equal((2, expected + Environment.NewLine, ""), (run.Code, run.Error, run.Out));
    }

    [Fact]
    public void No_command_lists_the_commands()
    {
        CliRun run = CliRun.Of();
        Assert.Equal(2, run.Code);
        Assert.StartsWith("error: no command given: expected one of ", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("--version")]
    [InlineData("inspect --help")]
    public void Help_and_version_succeed(string line)
    {
        CliRun run = CliRun.Of(line.Split(' '));
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.NotEmpty(run.Out);
    }

    [Fact]
    public void Doctor_describes_the_machine()
    {
        CliRun run = CliRun.Of("doctor");
        Assert.Equal((0, ""), (run.Code, run.Error));
        foreach (
            string title in (string[])
                ["system:", ".NET:", "cores:", "vectors:", "peak:", "memory:", "disk:", "NVIDIA driver:", "NVRTC:", "cuBLASLt:", "GPU:"]
        )
        {
            Assert.Contains(title, run.Out, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("train --device cuda")]
    [InlineData("train --set device=cuda")]
    [InlineData("pretrain --device cuda")]
    [InlineData("sample x --device cuda --precision fp32")]
    [InlineData("eval --device cuda --gemm cublas")]
    public void Without_a_driver_cuda_is_one_line_that_says_what_was_tried_and_code_1(string line)
    {
        CliRun run = CliRun.Of(
            line.Replace(" x ", " a_dog ", StringComparison.Ordinal).Split(' ').Select(word => word == "a_dog" ? "a dog" : word).ToArray()
        );
        Assert.Equal(1, run.Code);
        Assert.Equal("error: NVIDIA driver: wanted its library on this machine, tried /nowhere/libcuda-that-is-not.so.1, libcuda-that-is-not.so.1 and found none; install the NVIDIA driver or use --device cpu"
            + Environment.NewLine, run.Error);
    }

    [Fact]
    public void Doctor_goes_on_where_there_is_no_driver()
    {
        CliRun run = CliRun.Of("doctor");
        Assert.Equal(0, run.Code);
        Assert.Contains("none usable: NVIDIA driver: wanted its library", run.Out, StringComparison.Ordinal);
        Assert.Contains("NVRTC:", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Inspect_lists_tensors_of_a_file_and_of_a_folder()
    {
        using SafetensorsSample sample = new();
        CliRun file = CliRun.Of("inspect", sample.File);
        Assert.Equal((0, ""), (file.Code, file.Error));
        Assert.Contains("1 tensors, 6 values, 24 B", file.Out, StringComparison.Ordinal);
        Assert.Contains("[2, 3]", file.Out, StringComparison.Ordinal);
        Assert.Equal(file.Out, CliRun.Of("inspect", sample.Folder).Out);
    }

    [Fact]
    public void Inspect_lists_archives_and_keeps_control_characters_from_the_terminal()
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(
            folder.File("a.pt"),
            TorchArchiveTests
                .Zip(PickleWriter.Start.Dictionary(w => w.Text("\u001b[31mx").Tensor("0", 6, 0, [2, 3], [3, 1])).Stop(), new byte[24])
                .Finish()
        );
        CliRun run = CliRun.Of("convert", "inspect", folder.Path);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("?[31mx", run.Out, StringComparison.Ordinal);
        Assert.Contains("1 tensors, 6 values, 24 B", run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', run.Out);
    }

    [Fact]
    public void Inspect_refuses_what_it_cannot_read()
    {
        using SafetensorsSample sample = new();
        CliRun missing = CliRun.Of("inspect", sample.File + "x");
        Assert.Equal((1, $"error: {sample.File}x: no such file or folder; check the path{Environment.NewLine}"), (missing.Code, missing.Error));
        string empty = Directory.CreateDirectory(Path.Combine(sample.Folder, "empty")).FullName;
        CliRun none = CliRun.Of("inspect", empty);
        Assert.Equal(
            (1, $"error: {empty}: no weight file in this folder; name a checkpoint folder or a file{Environment.NewLine}"),
            (none.Code, none.Error)
        );
        File.WriteAllText(sample.File, "junk");
        CliRun junk = CliRun.Of("inspect", sample.File);
        Assert.Equal(1, junk.Code);
        Assert.StartsWith("error: ", junk.Error, StringComparison.Ordinal);
        Assert.Single(junk.Error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void Configuration_errors_are_code_2_and_name_the_override()
    {
        (CliRun run, TrainRequest? request) = Ask<TrainRequest>((c, b) => new TrainCommand(c, b), "train", "--set", "train.modell.batch=1");
        Assert.Equal((2, null), (run.Code, request));
        Assert.StartsWith("error: --set train.modell.batch=1: unknown setting train.modell", run.Error, StringComparison.Ordinal);
        Assert.EndsWith("did you mean model?" + Environment.NewLine, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_override_the_configuration()
    {
        (CliRun run, TrainRequest? request) = Ask<TrainRequest>(
            (c, b) => new TrainCommand(c, b),
            "train",
            "--set",
            "seed=1",
            "--set",
            "threads=5",
            "--seed",
            "7",
            "--threads",
            "1",
            "-o",
            "12",
            "--resume"
        );
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.True(request!.Resume);
        Assert.Equal((7L, 1, "12"), (request.Configuration.Seed, request.Configuration.Threads, request.Configuration.Output.Directory));
    }

    [Fact]
    public void Sample_takes_prompts_and_a_file()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "a cat\n\n  two dogs \n");
            (CliRun run, SampleRequest? request) = Ask<SampleRequest>(
                (c, b) => new SampleCommand(c, b),
                "sample",
                "a dog",
                "--prompts-file",
                file,
                "-n",
                "3",
                "--steps",
                "4",
                "--checkpoint",
                "m",
                "--schedule",
                "hand-made"
            );
            Assert.Equal((0, ""), (run.Code, run.Error));
            Assert.Equal(["a dog", "a cat", "two dogs"], request!.Prompts);
            Assert.Equal(
                (3, 4, null, Path.GetFullPath("m")),
                (request.Samples, request.Configuration.Sampling.Steps, request.Schedule, request.Configuration.Model.Checkpoint)
            );
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("sample", "error: no prompt given: expected prompts or --prompts-file; as in cogrpo-native sample \"a dog left of a cat\"")]
    [InlineData("sample x -n 0", "error: --samples: expected a whole number from 1 to 10000, found 0; correct the option")]
    [InlineData("sample x --prompts-file /no/such", "error: --prompts-file: /no/such does not exist; check the path")]
    [InlineData(
        "sample x --schedule /no/such",
        "error: --schedule: expected hand-made or an existing checkpoint, found \"/no/such\"; check the path"
    )]
    [InlineData(
        "sample x --steps 65",
        "error: --set sampling.steps=65: sampling.steps: expected at most 64, one step per code of a picture, found 65; lower the steps"
    )]
    public void Sample_refuses(string line, string expected)
    {
        (CliRun run, SampleRequest? request) = Ask<SampleRequest>((c, b) => new SampleCommand(c, b), line.Split(' '));
        Assert.Equal((2, null, expected + Environment.NewLine), (run.Code, request, run.Error));
    }

    [Fact]
    public void Eval_schedule_and_pretrain_hand_over_their_requests()
    {
        (CliRun run, EvalRequest? eval) = Ask<EvalRequest>(
            (c, b) => new EvalCommand(c, b),
            "eval",
            "--transfer",
            "both",
            "--set",
            "train.evaluation.steps=[4,8]"
        );
        Assert.Equal((0, TransferMode.Both), (run.Code, eval!.Transfer));
        Assert.Equal([4, 8], eval.Configuration.Train.Evaluation.Steps);
        ScheduleRequest? schedule = Ask<ScheduleRequest>((c, b) => new ScheduleCommand(c, b), "schedule", "--svg", "c.svg").Request;
        Assert.Equal("c.svg", schedule!.Picture);
        Assert.False(Ask<PretrainRequest>((c, b) => new PretrainCommand(c, b), "pretrain").Request!.Resume);
    }

    [Fact]
    public void Failures_are_one_line_without_a_stack_trace()
    {
        CliRun io = Throwing(new IOException("No space left on device."));
        Assert.Equal(
            (1, "error: No space left on device; check the path, its permissions and the free space" + Environment.NewLine),
            (io.Code, io.Error)
        );
        CliRun other = Throwing(new InvalidOperationException("a\nb"));
        Assert.Equal(
            (1, "error: unexpected InvalidOperationException: a b; set COGRPO_DEBUG=1 to see where, and report it" + Environment.NewLine),
            (other.Code, other.Error)
        );
        Assert.Contains("   at CoGrpo", Throwing(new InvalidOperationException("a"), debug: true).Error, StringComparison.Ordinal);
        CliRun memory = Throwing(new OutOfMemoryException());
        Assert.Equal(1, memory.Code);
        Assert.Contains("lower sampling.microBatch", memory.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Interruption_is_130()
    {
        using Interruption interruption = new(TextWriter.Null);
        CliRun run = CliRun.With(
            context => [new TrainCommand(context, (_, _, _, token) =>
            {
                Assert.True(interruption.Press());
                token.ThrowIfCancellationRequested();
                return 0;
            })],
            ["train"], interruption.Token);
        Assert.Equal((130, ""), (run.Code, run.Error));
        Assert.False(interruption.Press());
    }

    [Fact]
    public void A_command_that_saves_and_returns_after_an_interruption_is_130_too()
    {
        using CancellationTokenSource source = new();
        CliRun run = CliRun.With(context => [new TrainCommand(context, (_, _, _, _) => { source.Cancel(); return 0; })], ["train"], source.Token);
        Assert.Equal(130, run.Code);
    }

    /// <summary>A folder with one small safetensors file, written by hand.</summary>
    private sealed class SafetensorsSample : IDisposable
    {
        public SafetensorsSample()
        {
            Folder = Directory.CreateTempSubdirectory().FullName;
            File = Path.Combine(Folder, "a.safetensors");
            byte[] header = Encoding.UTF8.GetBytes("""{"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}""");
            System.IO.File.WriteAllBytes(File, [.. BitConverter.GetBytes((long)header.Length), .. header, .. new byte[24]]);
        }

        public string Folder { get; }

        public string File { get; }

        public void Dispose() => Directory.Delete(Folder, recursive: true);
    }
}
