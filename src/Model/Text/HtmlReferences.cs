using System.Globalization;
using System.Text;

namespace CoGrpo.Model.Text;

/// <summary>
/// Character references of HTML 5 (<c>&amp;hellip;</c>, <c>&amp;#39;</c>) replaced as a browser does, unknown ones left as they are.
/// </summary>
internal static class HtmlReferences
{
    private const int LongestName = 32;
    private static readonly Lazy<Dictionary<string, string>> Names = new(Load);

    /// <summary><paramref name="text"/> with references replaced once: <c>&amp;amp;amp;</c> gives <c>&amp;amp;</c>.</summary>
    public static string Replace(string text) => Replace(text, (reference, result) => Browser(reference, result));

    /// <summary>
    /// Only references that end with a semicolon, and also with their names in capitals (<c>&amp;EACUTE;</c>): what is meant even where the text is
    /// not HTML.
    /// </summary>
    public static string ReplaceComplete(string text) => Replace(text, (reference, result) =>
    {
        int end = reference[..Math.Min(reference.Length, LongestName + 1)].IndexOf(';');
        if (end < 0)
        {
            return 0;
        }

        ReadOnlySpan<char> name = reference[..(end + 1)];
        if (name[0] == '#')
        {
            return Browser(name, result);
        }

        string whole = name.ToString();
        if (!Names.Value.TryGetValue(whole, out string? character))
        {
            string lower = whole.ToLowerInvariant();
            character = whole == lower.ToUpperInvariant() && Names.Value.TryGetValue(lower, out string? small) ? small.ToUpperInvariant() : null;
        }

        result.Append(character);
        return character is null ? 0 : name.Length;
    });

    /// <summary>
    /// Writes what a reference at the start of the text (behind the ampersand) stands for; the number of characters it takes, 0 for none.
    /// </summary>
    private delegate int Reader(ReadOnlySpan<char> reference, StringBuilder result);

    private static string Replace(string text, Reader read)
    {
        int at = text.IndexOf('&', StringComparison.Ordinal);
        if (at < 0)
        {
            return text;
        }

        var result = new StringBuilder(text.Length);
        int done = 0;
        while (at >= 0)
        {
            result.Append(text, done, at - done);
            int taken = at + 1 < text.Length ? read(text.AsSpan(at + 1), result) : 0;
            if (taken == 0)
            {
                result.Append('&');
            }

            done = at + 1 + taken;
            at = text.IndexOf('&', done);
        }

        return result.Append(text, done, text.Length - done).ToString();
    }

    private static int Browser(ReadOnlySpan<char> reference, StringBuilder result)
    {
        if (reference[0] == '#')
        {
            return Number(reference, result);
        }

        int length = 0;
        while (length < Math.Min(reference.Length, LongestName) && reference[length] is not ('\t' or '\n' or '\f' or ' ' or '<' or '&' or '#' or ';'))
        {
            length++;
        }

        if (length > 0 && length < reference.Length && reference[length] == ';')
        {
            length++;
        }

        for (; length > 1; length--)
        {
            if (Names.Value.TryGetValue(reference[..length].ToString(), out string? character))
            {
                result.Append(character);
                return length;
            }
        }

        return 0;
    }

    private static int Number(ReadOnlySpan<char> reference, StringBuilder result)
    {
        bool hexadecimal = reference.Length > 1 && reference[1] is 'x' or 'X';
        int start = hexadecimal ? 2 : 1;
        int end = start;
        long number = 0;
        while (end < reference.Length && (hexadecimal ? char.IsAsciiHexDigit(reference[end]) : char.IsAsciiDigit(reference[end])))
        {
            int digit = int.Parse(reference.Slice(end, 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            number = Math.Min((number * (hexadecimal ? 16 : 10)) + digit, 0x110000);
            end++;
        }

        if (end == start)
        {
            return 0;
        }

        result.Append(Character((int)number));
        return end < reference.Length && reference[end] == ';' ? end + 1 : end;
    }

    private static string Character(int number) => number switch
    {
        0 or (>= 0xD800 and <= 0xDFFF) or > 0x10FFFF => "\ufffd",
        >= 0x80 and <= 0x9F => Windows1252.Character((byte)number).ToString(),
        < 0x09 or 0x0B or (>= 0x0E and <= 0x1F) or 0x7F or (>= 0xFDD0 and <= 0xFDEF) => "",
        _ when (number & 0xFFFE) == 0xFFFE => "",
        _ => char.ConvertFromUtf32(number),
    };

    private static Dictionary<string, string> Load()
    {
        Dictionary<string, string> names = new(StringComparer.Ordinal);
        foreach (string line in TextResource.Lines("html-entities.tsv"))
        {
            int tab = line.IndexOf('\t', StringComparison.Ordinal);
            names.Add(line[..tab], TextResource.Characters(line.AsSpan(tab + 1)));
        }

        return names;
    }
}
