using System.CommandLine;
using System.Globalization;
using CoGrpo.Model.Conversion;
using CoGrpo.Rl.Logging;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Cli.Commands.Conversion;

/// <summary>A command on model folders, with a progress bar over bytes.</summary>
internal abstract class ConversionCommand : Command
{
    private const long MiB = 1 << 20;

    /// <summary>The command; <see cref="Run"/> is its work.</summary>
    protected ConversionCommand(string name, string description, CliContext context)
        : base(name, description)
    {
        Context = context;
        SetAction((parsed, cancellation) => Task.FromResult(Run(parsed, cancellation)));
    }

    /// <summary>The outside world.</summary>
    protected CliContext Context { get; }

    /// <summary>The work; returns the exit code.</summary>
    protected abstract int Run(ParseResult parsed, CancellationToken cancellation);

    /// <summary>Runs a piece of work under a bar.</summary>
    protected void Show(string title, Action<IConversionProgress> work)
    {
        IProgressReporter reporter = Context.CreateProgress();
        try
        {
            work(new Bar(reporter, title));
        }
        finally
        {
            reporter.End();
        }
    }

    /// <summary>One line for each network.</summary>
    protected void WriteNetworks(IReadOnlyList<ConvertedNetwork> networks)
    {
        foreach (ConvertedNetwork network in networks)
        {
            Context.Out.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{network.Name + ":", -14} {network.Tensors} tensors, {network.Parameters:N0} parameters, {string.Join(" and ", network.Types)}"
                )
            );
        }
    }

    /// <summary><c>--dtype</c>, null where it is not given.</summary>
    protected static Option<string?> ElementTypeOption(string description)
    {
        Option<string?> option = new("--dtype") { Description = description, HelpName = "fp32|fp16|bf16" };
        option.AcceptOnlyFromAmong("fp32", "fp16", "bf16");
        return option;
    }

    /// <summary>The element type that a value of <c>--dtype</c> names.</summary>
    protected static SafetensorsType? ElementType(string? name) => name switch
    {
        "fp32" => SafetensorsType.F32,
        "fp16" => SafetensorsType.F16,
        "bf16" => SafetensorsType.BF16,
        _ => null,
    };

    private sealed class Bar(IProgressReporter reporter, string title) : IConversionProgress
    {
        private long _done;
        private long _shown;

        public void Begin(long bytes) => reporter.Begin($"{title} (MiB)", (bytes + MiB - 1) / MiB);

        public void Advance(long bytes, string name)
        {
            _done += bytes;
            long done = (_done + MiB - 1) / MiB;
            if (done != _shown)
            {
                _shown = done;
                reporter.Report(done, name);
            }
        }
    }
}
