using System.CommandLine;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Serving;

namespace CoGrpo.Cli.Commands;

/// <summary>
/// <c>eval</c>: a checkpoint's scores on held-out prompts, or those of a file, at several step counts; and folders for official evaluators.
/// </summary>
internal sealed class EvalCommand : RunCommand<EvalRequest>
{
    private readonly LearnedScheduleOption _schedule = new();
    private readonly LoraOption _lora = new();
    private readonly Option<string> _transfer = new("--transfer")
    {
        Description = "How a learned schedule is carried to other step counts: adaptive, table or both.",
        HelpName = "adaptive|table|both",
        DefaultValueFactory = _ => "adaptive",
    };

    private readonly Option<string> _split = new("--split")
    {
        Description = "Which prompts to score: those no training has seen, or the training prompts.",
        HelpName = "held-out|train",
        DefaultValueFactory = _ => "held-out",
    };

    private readonly Option<bool> _grid = new("--grid")
    {
        Description = "Also search the hand-made schedule's settings on training prompts and score the best on held-out ones; takes minutes.",
    };

    private readonly Option<string?> _prompts = new("--prompts-file")
    {
        Description = "With a model folder in the published layout: prompts to score all of, as text, JSON, JSON lines or Parquet, or the folder of the HPDv2 benchmark, which is scored by style.",
        HelpName = "FILE",
    };

    private readonly Option<int?> _limit = new("--limit")
    {
        Description = "With --prompts-file: only the first so many prompts, of each style.",
        HelpName = "N",
    };
    private readonly RewardOption _rewards = new();
    private readonly SamplerOption _sampler = new();

    /// <summary>The command with its work.</summary>
    public EvalCommand(CliContext context, CommandBody<EvalRequest> body)
        : base("eval", "Score a checkpoint on held-out prompts (settings under train.evaluation), or a model folder in the published layout on a file of prompts by any rewards, and print the table.", context, body, promptsGiven: true)
    {
        _transfer.AcceptOnlyFromAmong("adaptive", "table", "both");
        _split.AcceptOnlyFromAmong("held-out", "train");
        Run.AddCheckpointTo(this);
        Add(_schedule.Option);
        _lora.AddTo(this);
        Add(_transfer);
        Add(_split);
        Add(_grid);
        Add(_prompts);
        Add(_limit);
        Add(_rewards.Option);
        _sampler.AddTo(this);
    }

    /// <inheritdoc/>
    protected override EvalRequest Read(ParseResult parsed)
    {
        RunConfiguration configuration = Run.Load(parsed);
        var request = new EvalRequest(
            configuration, _schedule.Read(parsed), _lora.Read(parsed),
            parsed.GetValue(_transfer) switch { "table" => TransferMode.Table, "both" => TransferMode.Both, _ => TransferMode.Adaptive },
            parsed.GetValue(_split) == "train", parsed.GetValue(_grid));
        bool published = configuration.Data.Name == DataName.Prompts;
        foreach (Option option in published ? (Option[])[_transfer, _grid] : [_prompts, _limit, _rewards.Option, _sampler.Option])
        {
            if (parsed.GetResult(option) is { Implicit: false })
            {
                throw new CommandException(published
                    ? $"{option.Name}: expected EmojiScenes, found a model folder in the published layout, whose schedules are scored as they are; remove the option"
                    : $"{option.Name}: expected a model folder in the published layout (model_index.json, vqvae/, tokenizer/), found the prompts and rewards of emoji-scenes; give --checkpoint FOLDER or remove the option", ExitCode.Usage);
            }
        }

        return published ? request with { Pictures = Pictures(parsed, request) } : request;
    }

    private PictureEvaluationOptions Pictures(ParseResult parsed, EvalRequest request)
    {
        (string? file, int? limit) = (parsed.GetValue(_prompts), parsed.GetValue(_limit));
        if (limit is < 1 || (limit is not null && file is null))
        {
            throw new CommandException($"--limit: expected {(file is null ? "--prompts-file with it, found none" : $"a whole number of 1 or more, found {limit}")}; correct the option", ExitCode.Usage);
        }

        if (file is null && request.Configuration.Data.PromptFiles.Count == 0)
        {
            throw new CommandException(
                "no prompts to score: expected --prompts-file or data.promptFiles, found neither; name a file of prompts",
                ExitCode.Usage
            );
        }

        return new PictureEvaluationOptions
        {
            Prompts = file is null ? EvaluationPrompts.Of(request.Configuration, request.TrainingPrompts) : EvaluationPrompts.Of(file, limit),
            Rewards = _rewards.Read(parsed, request.Configuration),
            Schedule = request.Schedule,
            Lora = request.Lora,
            ReferenceCounts = _sampler.ReferenceCounts(parsed),
        };
    }
}
