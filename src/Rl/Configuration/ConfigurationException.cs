namespace CoGrpo.Rl.Configuration;

/// <summary>
/// A configuration that cannot be used. <see cref="Exception.Message"/> is one line: where, what is wrong, what was expected, what was
/// found, and what to do next.
/// </summary>
public sealed class ConfigurationException : Exception
{
    /// <summary>Composes the one-line message of its parts; <paramref name="expected"/> and <paramref name="found"/> may be empty.</summary>
    /// <param name="where">The place: file and line, an override as typed, or a preset.</param>
    /// <param name="what">The setting's path and what is wrong with it.</param>
    /// <param name="expected">What would be accepted.</param>
    /// <param name="found">What stood there.</param>
    /// <param name="next">What the reader can do about it.</param>
    public ConfigurationException(string where, string what, string expected, string found, string next)
        : base(Compose(where, what, expected, found, next))
    {
        (Where, What, Expected, Found, Next) = (where, what, expected, found, next);
    }

    /// <summary>The place: file and line, an override as typed, or a preset.</summary>
    public string Where { get; }

    /// <summary>The setting's path and what is wrong with it.</summary>
    public string What { get; }

    /// <summary>What would be accepted; may be empty.</summary>
    public string Expected { get; }

    /// <summary>What stood there; may be empty.</summary>
    public string Found { get; }

    /// <summary>What to do next.</summary>
    public string Next { get; }

    private static string Compose(string where, string what, string expected, string found, string next)
    {
        string line = $"{where}: {what}";
        if (expected.Length > 0)
        {
            line += $": expected {expected}" + (found.Length > 0 ? $", found {found}" : "");
        }
        else if (found.Length > 0)
        {
            line += $": found {found}";
        }

        return $"{line}; {next}".ReplaceLineEndings(" ");
    }
}
