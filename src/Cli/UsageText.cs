using System.CommandLine;
using System.CommandLine.Parsing;
using CoGrpo.Model.Text;

namespace CoGrpo.Cli;

/// <summary>Words a wrong command line in one line.</summary>
internal static class UsageText
{
    private const int MostEdits = 3;

    /// <summary>For the program of this name: the first parse error, the nearest known word to a mistyped one, and where help is.</summary>
    public static string Of(string program, RootCommand root, ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        string help = $"{string.Join(' ', Words(parsed.CommandResult).Reverse().Prepend(program))} --help";
        // The library lays out some messages over several lines.
        string text = string.Join(' ', parsed.Errors[0].Message.TrimEnd('.').Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        if (parsed.UnmatchedTokens.Count > 0)
        {
            string token = parsed.UnmatchedTokens[0];
            bool isOption = token.StartsWith('-');
            text = command.Subcommands.Count > 0 && !isOption ? $"unknown command {token}" : $"unknown {(isOption ? "option" : "argument")} {token}";
            IEnumerable<string> known = isOption
                ? command.Options.Concat(root.Options.Where(option => option.Recursive)).Select(option => option.Name)
                : command.Subcommands.Select(sub => sub.Name);
            if (NearestName.Find(token, known) is { } nearest && NearestName.Distance(token, nearest) <= MostEdits)
            {
                return $"{text}; did you mean {nearest}? see {help}";
            }
        }
        else if (command.Subcommands.Count > 0 && command.Action is null)
        {
            text = $"no command given: expected one of {string.Join(", ", command.Subcommands.Select(sub => sub.Name))}";
        }

        return $"{text}; see {help}";
    }

    /// <summary>The names of the command and those above it, without the program's.</summary>
    private static IEnumerable<string> Words(CommandResult? result)
    {
        for (; result is { Command: not RootCommand }; result = result.Parent as CommandResult)
        {
            yield return result.Command.Name;
        }
    }
}
