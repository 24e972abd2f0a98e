using System.CommandLine;

namespace CoGrpo.Cli.Commands;

/// <summary><c>sample</c>: pictures for prompts.</summary>
internal sealed class SampleCommand : RunCommand<SampleRequest>
{
    private readonly Argument<string[]> _prompts = new("prompts") { Description = "One or more prompts, each quoted.", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<string?> _file = new("--prompts-file") { Description = "Text file with one prompt per line.", HelpName = "FILE" };
    private readonly Option<int> _samples = new("--samples", "-n") { Description = "Pictures per prompt.", HelpName = "N", DefaultValueFactory = _ => 1 };
    private readonly LearnedScheduleOption _schedule = new();
    private readonly LoraOption _lora = new();

    /// <summary>The command with its work.</summary>
    public SampleCommand(CliContext context, CommandBody<SampleRequest> body)
        : base("sample", "Sample pictures for prompts; writes PNG files and a grid to the output folder.", context, body)
    {
        Add(_prompts);
        Add(_file);
        Add(_samples);
        Run.AddSamplingTo(this);
        Add(_schedule.Option);
        _lora.AddTo(this);
    }

    /// <inheritdoc/>
    protected override SampleRequest Read(ParseResult parsed)
    {
        int samples = parsed.GetValue(_samples);
        if (samples is < 1 or > 10_000)
        {
            throw new CommandException($"--samples: expected a whole number from 1 to 10000, found {samples}; correct the option", ExitCode.Usage);
        }

        List<string> prompts = [.. parsed.GetValue(_prompts) ?? []];
        if (parsed.GetValue(_file) is { } file)
        {
            if (!File.Exists(file))
            {
                throw new CommandException($"--prompts-file: {file} does not exist; check the path", ExitCode.Usage);
            }

            prompts.AddRange(File.ReadLines(file).Select(line => line.Trim()).Where(line => line.Length > 0));
        }

        if (prompts.Count == 0)
        {
            throw new CommandException("no prompt given: expected prompts or --prompts-file; as in cogrpo-native sample \"a dog left of a cat\"", ExitCode.Usage);
        }

        return new(Run.Load(parsed), prompts, samples, _schedule.Read(parsed), _lora.Read(parsed));
    }
}
