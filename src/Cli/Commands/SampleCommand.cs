using System.CommandLine;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Serving;

namespace CoGrpo.Cli.Commands;

/// <summary><c>sample</c>: pictures for prompts.</summary>
internal sealed class SampleCommand : RunCommand<SampleRequest>
{
    private readonly Argument<string[]> _prompts = new("prompts")
    {
        Description = "One or more prompts, each quoted.",
        Arity = ArgumentArity.ZeroOrMore,
    };
    private readonly Option<string?> _file = new("--prompts-file") { Description = "Text file with one prompt per line.", HelpName = "FILE" };
    private readonly Option<int> _samples = new("--samples", "-n")
    {
        Description = "Pictures per prompt.",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
    };
    private readonly LearnedScheduleOption _schedule = new();
    private readonly LoraOption _lora = new();
    private readonly PictureOption _picture = new();

    /// <summary>The command with its work.</summary>
    public SampleCommand(CliContext context, CommandBody<SampleRequest> body)
        : base("sample", "Sample pictures for prompts; writes PNG files and a grid to the output folder. A model folder in the published layout (Meissonic, Monetico) takes any prompt, size, start picture and mask.", context, body, promptsGiven: true)
    {
        Add(_prompts);
        Add(_file);
        Add(_samples);
        Run.AddSamplingTo(this);
        Add(_schedule.Option);
        _lora.AddTo(this);
        _picture.AddTo(this);
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
            prompts.AddRange(PromptsFile.Read("--prompts-file", file));
        }

        if (prompts.Count == 0)
        {
            throw new CommandException(
                "no prompt given: expected prompts or --prompts-file; as in cogrpo-native sample \"a dog left of a cat\"",
                ExitCode.Usage
            );
        }

        RunConfiguration configuration = Run.Load(parsed, _picture.Overrides(parsed));
        (string? schedule, LoraSource? lora) = (_schedule.Read(parsed), _lora.Read(parsed));
        if (configuration.Data.Name == DataName.Prompts)
        {
            return new(
                configuration,
                prompts,
                samples,
                schedule,
                lora,
                _picture.Read(parsed, prompts, samples) with
                {
                    Schedule = schedule,
                    Lora = lora,
                }
            );
        }

        return _picture.FirstGiven(parsed) is { } option
            ? throw new CommandException($"{option}: expected a model folder in the published layout (model_index.json, vqvae/, tokenizer/), found the small pictures of emoji-scenes; give --checkpoint FOLDER or remove the option", ExitCode.Usage)
            : new(configuration, prompts, samples, schedule, lora, null);
    }
}
