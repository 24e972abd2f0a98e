using System.CommandLine;
using CoGrpo.Model;
using CoGrpo.Model.Images;
using CoGrpo.Rl.Configuration;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Cli;

/// <summary>Runs one command line: parses, invokes, and turns every outcome into an exit code and at most one line on the error stream.</summary>
internal static class CliApplication
{
    /// <summary>Runs <paramref name="args"/> with the commands of <paramref name="root"/> and returns the exit code; never throws.</summary>
    public static int Run(RootCommand root, IReadOnlyList<string> args, CliContext context, CancellationToken cancellation)
    {
        try
        {
            ParseResult parsed = root.Parse(args);
            bool asksForHelp = parsed.Action is { Terminating: true } && parsed.Action.GetType().Name != "ParseErrorAction";
            if (parsed.Errors.Count > 0 && !asksForHelp)
            {
                throw new CommandException(UsageText.Of(context.Program, root, parsed), ExitCode.Usage);
            }

            InvocationConfiguration invocation = new()
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
                Output = context.Out,
                Error = context.Error,
            };
            int code = parsed.InvokeAsync(invocation, cancellation).GetAwaiter().GetResult();
            return cancellation.IsCancellationRequested ? ExitCode.Interrupted : code;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
        catch (Exception error)
        {
            return Tell(error, context);
        }
    }

    private static int Tell(Exception error, CliContext context)
    {
        string line = error switch
        {
            CommandException
            or ConfigurationException
            or WeightsFileException
            or ModelException
            or PngException
            or TensorException
            or CudaException => error.Message,
            IOException or UnauthorizedAccessException => $"{error.Message.TrimEnd('.')}; check the path, its permissions and the free space",
            OutOfMemoryException => $"{error.Message.TrimEnd('.')}; lower sampling.microBatch, train.model.microBatch or pretrain.microBatch",
            _ => $"unexpected {error.GetType().Name}: {error.Message.TrimEnd('.')}; set COGRPO_DEBUG=1 to see where, and report it",
        };
        context.Error.WriteLine($"error: {line.ReplaceLineEndings(" ")}");
        if (context.Debug)
        {
            context.Error.WriteLine(error);
        }

        return error switch
        {
            CommandException command => command.Code,
            ConfigurationException => ExitCode.Usage,
            _ => ExitCode.Failure,
        };
    }
}
