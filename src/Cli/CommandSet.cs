using System.CommandLine;
using CoGrpo.Cli.Commands;
using CoGrpo.Rl.Runs;

namespace CoGrpo.Cli;

/// <summary>The commands of this program.</summary>
internal static class CommandSet
{
    /// <summary>The root command with everything this version can do.</summary>
    public static RootCommand Create(CliContext context) => new("Post-trains masked image diffusion models together with their sampling schedule (Co-GRPO), and samples from them.")
    {
        DeviceOption.Instance,
        new PretrainCommand(context, Pretrain),
        new TrainCommand(context, Train),
        new SampleCommand(context, ServingCommands.Sample),
        new EvalCommand(context, ServingCommands.Eval),
        new ScheduleCommand(context, ServingCommands.Schedule),
        new InspectCommand(context),
        new DoctorCommand(context),
    };

    private static int Pretrain(PretrainRequest request, TextWriter output, Rl.Logging.IProgressReporter progress, CancellationToken cancellation)
    {
        PretrainRun.Execute(request.Configuration, request.Resume, progress, output, cancellation);
        return ExitCode.Success;
    }

    private static int Train(TrainRequest request, TextWriter output, Rl.Logging.IProgressReporter progress, CancellationToken cancellation)
    {
        TrainRun.Execute(request.Configuration, request.Resume, progress, output, cancellation);
        return ExitCode.Success;
    }
}
