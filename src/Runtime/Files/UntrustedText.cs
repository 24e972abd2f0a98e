namespace CoGrpo.Runtime.Files;

/// <summary>Text from a file on its way into a message.</summary>
internal static class UntrustedText
{
    private const int Longest = 80;

    /// <summary>The text in quotes, of bounded length, without control characters, which must not reach a terminal.</summary>
    public static string Quote(string text)
    {
        string shown = text.Length <= Longest ? text : text[..Longest] + "...";
        return "'" + string.Concat(shown.Select(c => char.IsControl(c) ? '?' : c)) + "'";
    }
}
