using System.CommandLine;
using System.Globalization;
using CoGrpo.Model.Images;
using CoGrpo.Rl;
using CoGrpo.Rl.Prompts;
using CoGrpo.Rl.Rewards;
using CoGrpo.Rl.Serving;

namespace CoGrpo.Cli.Commands;

/// <summary><c>score</c>: scores of pictures for prompts by one reward.</summary>
internal sealed class ScoreCommand : RewardCommand
{
    private readonly Argument<string[]> _pictures = new("pictures") { Description = "PNG, JPEG or WebP files.", Arity = ArgumentArity.OneOrMore };
    private readonly Option<string[]> _prompts = new("--prompt", "-p")
    {
        Description = "What the pictures were asked to show; may be repeated, every picture is scored for every prompt.",
        HelpName = "TEXT",
        Required = true,
    };

    /// <summary>The command.</summary>
    public ScoreCommand(CliContext context)
        : base("score", "Score pictures for prompts by a reward and print a table.", context, remote: true)
    {
        Add(_prompts);
        Add(_pictures);
    }

    /// <inheritdoc/>
    protected override Action<IReward, CancellationToken> Read(ParseResult parsed)
    {
        string[] files = parsed.GetRequiredValue(_pictures), prompts = parsed.GetRequiredValue(_prompts);
        RgbImage[] pictures = [.. files.Select(file => PictureFile.Read(file))];
        return (reward, cancellation) =>
        {
            double[] scores = new double[prompts.Length * files.Length];
            reward.Score(
                new RewardBatch([.. prompts.SelectMany(prompt => files.Select(_ => new TextPrompt(prompt)))], [.. prompts.SelectMany(_ => pictures)]),
                scores,
                cancellation
            );
            IReadOnlyList<string>[] rows =
            [
                .. scores.Select(
                    (score, i) =>
                        (IReadOnlyList<string>)
                            [
                                OneLine(prompts[i / files.Length]),
                                Path.GetFileName(files[i % files.Length]),
                                score.ToString("f4", CultureInfo.InvariantCulture),
                            ]
                ),
            ];
            TableOutput.Write(Context.Out, new ResultTable(["prompt", "picture", reward.Name], rows, TextColumns: 2));
            if (reward is NetworkReward { TruncatedPrompts: > 0 and var cut })
            {
                Context.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"warning: {cut} of {prompts.Distinct().Count()} prompts are longer than {reward.Name} reads; their ends have no part in the score"));
            }
        };
    }

    private static string OneLine(string text) => string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));
}
