using System.CommandLine;
using CoGrpo.Cli.Commands;
using CoGrpo.Cli.Commands.Benchmarks;
using CoGrpo.Cli.Commands.Conversion;
using CoGrpo.Rl.Runs;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Cli;

/// <summary>The commands of this program.</summary>
internal static class CommandSet
{
    /// <summary>The root command with everything this version can do.</summary>
    public static RootCommand Create(CliContext context) => new("Post-trains masked image diffusion models together with their sampling schedule (Co-GRPO), and samples from them.")
    {
        DeviceOption.Device,
        DeviceOption.Precision,
        DeviceOption.Gemm,
        new PretrainCommand(context, (request, output, progress, cancellation) => Pretrain(context, request, output, progress, cancellation)),
        new TrainCommand(context, (request, output, progress, cancellation) => Train(context, request, output, progress, cancellation)),
        new AblateCommand(context, (request, output, progress, cancellation) => AblateCommand.Execute(context, request, output, progress, cancellation)),
        new SampleCommand(context, (request, output, progress, cancellation) => ServingCommands.Sample(context, request, output, progress, cancellation)),
        new EvalCommand(context, (request, output, progress, cancellation) => ServingCommands.Eval(context, request, output, progress, cancellation))
        {
            new ExportCommand(context, (request, output, progress, cancellation) => ExportCommand.Draw(context, request, output, progress, cancellation)),
            new ImportCommand(context),
        },
        new PlanCommand(context, (request, output, progress, _) => PlanCommand.Print(request, output, progress)),
        new ScheduleCommand(context, (request, output, progress, cancellation) => ServingCommands.Schedule(context, request, output, progress, cancellation)),
        new MergeCommand(context),
        new ScoreCommand(context),
        new RewardServerCommand(context),
        new ConvertCommand(context),
        new InspectCommand(context),
        new KernelsCommand(context),
        new DoctorCommand(context),
    };

    private static int Pretrain(
        CliContext context,
        PretrainRequest request,
        TextWriter output,
        Rl.Logging.IProgressReporter progress,
        CancellationToken cancellation
    )
    {
        using ComputeDevice device = DeviceOption.Open(request.Configuration, context);
        PretrainRun.Execute(request.Configuration, device, request.Resume, progress, output, cancellation);
        return ExitCode.Success;
    }

    private static int Train(
        CliContext context,
        TrainRequest request,
        TextWriter output,
        Rl.Logging.IProgressReporter progress,
        CancellationToken cancellation
    )
    {
        using ComputeDevice device = DeviceOption.Open(request.Configuration, context);
        TrainRun.Execute(request.Configuration, device, request.Resume, progress, output, cancellation);
        return ExitCode.Success;
    }
}
