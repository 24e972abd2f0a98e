using System.CommandLine;
using System.Globalization;
using CoGrpo.Rl.Benchmarks;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Logging;
using CoGrpo.Rl.Serving;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Cli.Commands.Benchmarks;

/// <summary><c>eval export</c>: pictures of a benchmark's prompts in the layout of its official evaluator.</summary>
internal sealed class ExportCommand : RunCommand<ExportRequest>
{
    private readonly BenchmarkArgument _benchmark = new();
    private readonly Option<string> _source = new("--source")
    {
        Description = "The benchmark's prompts as published: evaluation_metadata.jsonl of GenEval, the folder dpg_bench/prompts, or the folder of the HPDv2 benchmark.",
        HelpName = "FILE-or-FOLDER",
        Required = true,
    };

    private readonly Option<string?> _format = new("--format")
    {
        Description = "With hpsv2, whose files are named .jpg: jpeg (quality 75, as published) or png, which loses nothing.",
        HelpName = "jpeg|png",
    };
    private readonly Option<int?> _limit = new("--limit")
    {
        Description = "Only the first so many prompts, of each style; the others can follow later.",
        HelpName = "N",
    };
    private readonly LearnedScheduleOption _schedule = new();
    private readonly LoraOption _lora = new();
    private readonly SamplerOption _sampler = new();

    /// <summary>The command with its work.</summary>
    public ExportCommand(CliContext context, CommandBody<ExportRequest> body)
        : base(
            "export",
            "Draw a benchmark's prompts in the folder layout that its official evaluator reads; go on where an earlier run stopped.",
            context,
            body,
            promptsGiven: true
        )
    {
        _format.AcceptOnlyFromAmong("jpeg", "png");
        Add(_benchmark.Argument);
        Add(_source);
        Add(_format);
        Add(_limit);
        Run.AddSamplingTo(this);
        Add(_schedule.Option);
        _lora.AddTo(this);
        _sampler.AddTo(this);
    }

    /// <summary>Draws and says what to do next.</summary>
    public static int Draw(CliContext context, ExportRequest request, TextWriter output, IProgressReporter progress, CancellationToken cancellation)
    {
        using ComputeDevice device = DeviceOption.Open(request.Configuration, context);
        ExportResult result = ExportService.Run(request.Configuration, device, request.Export, progress, cancellation);
        progress.End();
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{result.Made} pictures made, {result.Kept} kept, {result.Width} x {result.Height} pixels each"
            )
        );
        output.WriteLine(result.Folder);
        output.WriteLine(request.Export.Layout.Benchmark switch
        {
            BenchmarkName.GenEval => $"next: python evaluation/evaluate_images.py {result.Folder} --outfile results.jsonl; then {context.Program} eval import geneval results.jsonl",
            BenchmarkName.Dpg => string.Create(CultureInfo.InvariantCulture, $"next: bash dpg_bench/dist_eval.sh {result.Folder} {result.Width / 2}; then {context.Program} eval import dpg on the results.txt it leaves there"),
            _ => $"next: python -c \"import hpsv2; hpsv2.evaluate('{result.Folder}', hps_version='v2.0')\" > results.txt; then {context.Program} eval import hpsv2 results.txt",
        });
        return ExitCode.Success;
    }

    /// <inheritdoc/>
    protected override ExportRequest Read(ParseResult parsed)
    {
        BenchmarkName benchmark = _benchmark.Read(parsed);
        (string? format, int? limit) = (parsed.GetValue(_format), parsed.GetValue(_limit));
        if (format is not null && benchmark != BenchmarkName.HpsV2)
        {
            throw new CommandException(
                "--format: expected the benchmark hpsv2, found another, whose pictures are PNG; remove the option",
                ExitCode.Usage
            );
        }

        if (limit is < 1)
        {
            throw new CommandException($"--limit: expected a whole number of 1 or more, found {limit}; correct the option", ExitCode.Usage);
        }

        RunConfiguration configuration = Run.Load(parsed);
        if (configuration.Data.Name != DataName.Prompts)
        {
            throw new CommandException("eval export: expected a model folder in the published layout (model_index.json, vqvae/, tokenizer/), found the small pictures of emoji-scenes; give --checkpoint FOLDER", ExitCode.Usage);
        }

        return new ExportRequest(configuration, new ExportOptions
        {
            Layout = ExportLayout.Read(benchmark, parsed.GetRequiredValue(_source), format == "png" ? ExportFormat.Png : ExportFormat.Jpeg),
            Limit = limit,
            Schedule = _schedule.Read(parsed),
            Lora = _lora.Read(parsed),
            ReferenceCounts = _sampler.ReferenceCounts(parsed),
        });
    }
}
