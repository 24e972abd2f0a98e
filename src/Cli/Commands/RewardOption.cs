using System.CommandLine;
using System.Text.RegularExpressions;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Rewards;

namespace CoGrpo.Cli.Commands;

/// <summary>The option that says which rewards score pictures, in place of those that the configuration names.</summary>
internal sealed class RewardOption
{
    private static readonly RewardName[] Known = [RewardName.ImageReward, RewardName.HpsV2, RewardName.ClipScore, RewardName.Mps, RewardName.Remote];
    private static readonly string[] HpsVersions = ["v2.0", "v2.1"];

    // A comma in front of a name that ends there, or is followed by weights or a version: paths may have other commas, and folders of such names.
    private static readonly Regex BetweenEntries = new(
        $",(?=(?:{string.Join('|', Known.Select(RewardRegistry.NameOf))})(?::[^=,/]*)?(?:=|,|$))",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant
    );

    /// <summary>The option.</summary>
    public Option<string[]> Option { get; } = new("--rewards")
    {
        Description = "Scores of pictures for any prompt, in place of train.rewards and train.evaluation.metrics: names of them, or NAME=WEIGHTS, separated by spaces or commas (a comma within a path is kept unless one of the names follows it). Names: imageReward, hpsv2 (hpsv2:v2.1 for that version), clipScore, mps, remote=URL.",
        HelpName = "NAME[=WEIGHTS],...",
        AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = _ => [],
    };

    /// <summary>The rewards asked for; without the option all those of <paramref name="configuration"/>.</summary>
    /// <exception cref="CommandException">A name is unknown, or names none of the configured rewards.</exception>
    public IReadOnlyList<RewardConfiguration> Read(ParseResult parsed, RunConfiguration configuration)
    {
        RewardConfiguration[] configured = [.. configuration.Train.Rewards, .. configuration.Train.Evaluation.Metrics];
        string[] words =
        [
            .. (parsed.GetValue(Option) ?? [])
                .SelectMany(word => word.Contains('=', StringComparison.Ordinal) ? BetweenEntries.Split(word) : word.Split(','))
                .Where(word => word.Length > 0),
        ];
        return words.Length == 0 ? configured : [.. words.Select(word => Of(word, configured))];
    }

    private static RewardConfiguration Of(string word, RewardConfiguration[] configured)
    {
        int equals = word.IndexOf('=', StringComparison.Ordinal);
        (string name, string? weights) = equals < 0 ? (word, null) : (word[..equals], word[(equals + 1)..]);
        string[] parts = name.Split(':');
        RewardName[] found = [.. Known.Where(known => string.Equals(RewardRegistry.NameOf(known), parts[0], StringComparison.OrdinalIgnoreCase))];
        int version = parts.Length == 2 ? Array.IndexOf(HpsVersions, parts[1]) : parts.Length == 1 ? 0 : -1;
        if (found.Length == 0 || version < 0 || (parts.Length == 2 && found[0] != RewardName.HpsV2) || weights == "")
        {
            throw new CommandException($"--rewards: expected NAME or NAME=WEIGHTS with a name of {string.Join(", ", Known.Select(RewardRegistry.NameOf))} or hpsv2:v2.1, found \"{word}\"; correct the option", ExitCode.Usage);
        }

        RewardConfiguration? known = configured.FirstOrDefault(reward =>
            reward.Name == found[0] && (parts.Length == 1 || (int)reward.Version == version)
        );
        if (known is null && weights is null)
        {
            throw new CommandException(
                $"--rewards: expected {name}=WEIGHTS, since the configuration has no such reward, found {word}; name its weights",
                ExitCode.Usage
            );
        }

        RewardConfiguration reward = known ?? new RewardConfiguration { Name = found[0], Version = (HpsVersionName)version };
        if (weights is null || found[0] != RewardName.Remote)
        {
            return weights is null ? reward : reward with { Weights = weights };
        }

        return Uri.TryCreate(weights, UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https"
            ? reward with
            {
                Url = weights,
            }
            : throw new CommandException(
                $"--rewards: expected remote=URL, as in remote=http://localhost:8080/score, found \"{word}\"; correct the address",
                ExitCode.Usage
            );
    }
}
