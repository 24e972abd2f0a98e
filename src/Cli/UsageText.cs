using System.CommandLine;
using CoGrpo.Rl.Configuration;

namespace CoGrpo.Cli;

/// <summary>Words a wrong command line in one line.</summary>
internal static class UsageText
{
    private const int MostEdits = 3;

    /// <summary>The first parse error, the nearest known word to a mistyped one, and where help is.</summary>
    public static string Of(RootCommand root, ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        string help = command is RootCommand ? "cogrpo-native --help" : $"cogrpo-native {command.Name} --help";
        // The library lays out some messages over several lines.
        string text = string.Join(' ', parsed.Errors[0].Message.TrimEnd('.').Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        if (parsed.UnmatchedTokens.Count > 0)
        {
            string token = parsed.UnmatchedTokens[0];
            bool isOption = token.StartsWith('-');
            text = command is RootCommand && !isOption ? $"unknown command {token}" : $"unknown {(isOption ? "option" : "argument")} {token}";
            IEnumerable<string> known = isOption
                ? command.Options.Concat(root.Options.Where(option => option.Recursive)).Select(option => option.Name)
                : command.Subcommands.Select(sub => sub.Name);
            if (NearestName.Find(token, known) is { } nearest && NearestName.Distance(token, nearest) <= MostEdits)
            {
                return $"{text}; did you mean {nearest}? see {help}";
            }
        }
        else if (command is RootCommand && parsed.Tokens.Count == 0)
        {
            text = $"no command given: expected one of {string.Join(", ", root.Subcommands.Select(sub => sub.Name))}";
        }

        return $"{text}; see {help}";
    }
}
