using CoGrpo.Rl.Logging;

namespace CoGrpo.Cli.Commands;

/// <summary>
/// The work of a command: results go to <paramref name="output"/>. Returns the exit code; throws one of the library's exceptions for a
/// failure, and <see cref="OperationCanceledException"/> once it has saved after a cancellation.
/// </summary>
internal delegate int CommandBody<in TRequest>(TRequest request, TextWriter output, IProgressReporter progress, CancellationToken cancellation);
