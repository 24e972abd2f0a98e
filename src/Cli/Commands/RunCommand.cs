using System.CommandLine;
using CoGrpo.Rl.Logging;

namespace CoGrpo.Cli.Commands;

/// <summary>A command that works with a run configuration: reads and checks its options, then hands them to its body.</summary>
internal abstract class RunCommand<TRequest> : Command
{
    private readonly CliContext _context;
    private readonly CommandBody<TRequest> _body;

    /// <summary>A command with the configuration's options.</summary>
    protected RunCommand(string name, string description, CliContext context, CommandBody<TRequest> body, bool promptsGiven = false)
        : base(name, description)
    {
        (_context, _body) = (context, body);
        Run = new RunOptions { PromptsGiven = promptsGiven };
        Run.AddTo(this);
        SetAction((parsed, cancellation) => Task.FromResult(Invoke(parsed, cancellation)));
    }

    /// <summary>The configuration's options.</summary>
    protected RunOptions Run { get; }

    /// <summary>The checked request; throws what <see cref="CliApplication"/> can tell in one line.</summary>
    protected abstract TRequest Read(ParseResult parsed);

    private int Invoke(ParseResult parsed, CancellationToken cancellation)
    {
        TRequest request = Read(parsed);
        IProgressReporter progress = _context.CreateProgress();
        try
        {
            return _body(request, _context.Out, progress, cancellation);
        }
        finally
        {
            progress.End();
        }
    }
}
