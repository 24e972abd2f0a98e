using System.Globalization;
using System.Text;

namespace CoGrpo.Model.Text;

/// <summary>
/// Lower case by the rules of Unicode that depend on no language, as Python has them: .NET's invariant form maps single characters only.
/// </summary>
internal static class LowerCase
{
    private const char CapitalSigma = '\u03a3';
    private const char DottedCapitalI = '\u0130';

    /// <summary><paramref name="text"/> in lower case: İ becomes two characters and a Σ at the end of a word ς.</summary>
    public static string Of(string text)
    {
        string lower = text.ToLowerInvariant();
        if (text.AsSpan().IndexOfAny(CapitalSigma, DottedCapitalI) < 0)
        {
            return lower;
        }

        // The invariant mapping is one to one in length, so places agree.
        var result = new StringBuilder(lower.Length + 4);
        for (int i = 0; i < text.Length; i++)
        {
            _ = text[i] switch
            {
                DottedCapitalI => result.Append("i\u0307"),
                CapitalSigma => result.Append(EndsWord(text, i) ? '\u03c2' : '\u03c3'),
                _ => result.Append(lower[i]),
            };
        }

        return result.ToString();
    }

    private static bool EndsWord(string text, int place)
    {
        int before = place - 1;
        while (before >= 0 && IsTransparent(text[before]))
        {
            before--;
        }

        int after = place + 1;
        while (after < text.Length && IsTransparent(text[after]))
        {
            after++;
        }

        return before >= 0 && IsCased(text[before]) && !(after < text.Length && IsCased(text[after]));
    }

    private static bool IsCased(char c) =>
        char.GetUnicodeCategory(c) is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter;

    private static bool IsTransparent(char c) =>
        c is '\'' or '.' or ':' or '\u00b7' or '\u2019' or '\u2018' or '\u2024' or '\u2027'
        || char.GetUnicodeCategory(c)
            is UnicodeCategory.NonSpacingMark
                or UnicodeCategory.EnclosingMark
                or UnicodeCategory.Format
                or UnicodeCategory.ModifierLetter
                or UnicodeCategory.ModifierSymbol;
}
