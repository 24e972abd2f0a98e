namespace CoGrpo.Cli;

/// <summary>A failure that is told in one line and ends the command with <see cref="Code"/>.</summary>
internal sealed class CommandException(string message, int code = ExitCode.Failure) : Exception(message)
{
    /// <summary>The process's exit code.</summary>
    public int Code { get; } = code;
}
