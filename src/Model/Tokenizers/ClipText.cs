using System.Globalization;
using System.Text;
using CoGrpo.Model.Text;

namespace CoGrpo.Model.Tokenizers;

/// <summary>Cleans prompts as the original tokenizers do.</summary>
internal static class ClipText
{
    /// <summary>The text that open_clip's pattern sees.</summary>
    public static string OpenClip(string text)
    {
        // Twice, as the original: &amp;amp; is meant as &.
        string repaired = HtmlReferences.Replace(HtmlReferences.Replace(TextRepair.Repair(text)));
        return LowerCase.Of(CollapseSpace(repaired));
    }

    /// <summary>The text between special tokens that Hugging Face's pattern sees.</summary>
    public static string HuggingFace(string text)
    {
        var result = new StringBuilder(text.Length + 8);
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (rune.Value is 0 or 0xFFFD || IsControl(rune))
            {
                continue;
            }

            if (rune.Value is '\t' or '\n' or '\r' || Rune.GetUnicodeCategory(rune) == UnicodeCategory.SpaceSeparator)
            {
                result.Append(' ');
            }
            else if (IsIdeograph(rune.Value))
            {
                result.Append(' ').Append(rune).Append(' ');
            }
            else
            {
                result.Append(rune);
            }
        }

        return LowerCase.Of(CollapseSpace(CanonicalForm.Compose(result.ToString())));
    }

    /// <summary>White space as Python's <c>str.split</c> knows it: that of Unicode and the four information separators.</summary>
    public static bool IsSpace(Rune rune) => rune.Value is >= 0x1C and <= 0x1F || Rune.IsWhiteSpace(rune);

    private static string CollapseSpace(string text)
    {
        var result = new StringBuilder(text.Length);
        bool open = false;
        foreach (char c in text)
        {
            // No white space lies beyond the first plane.
            if (Rune.TryCreate(c, out Rune rune) && IsSpace(rune))
            {
                open = result.Length > 0;
                continue;
            }

            if (open)
            {
                result.Append(' ');
                open = false;
            }

            result.Append(c);
        }

        return result.ToString();
    }

    private static bool IsControl(Rune rune) =>
        rune.Value is not ('\t' or '\n' or '\r')
        && Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.Surrogate
                or UnicodeCategory.PrivateUse
                or UnicodeCategory.OtherNotAssigned;

    private static bool IsIdeograph(int code) =>
        code
            is (>= 0x4E00 and <= 0x9FFF)
                or (>= 0x3400 and <= 0x4DBF)
                or (>= 0x20000 and <= 0x2A6DF)
                or (>= 0x2A700 and <= 0x2B73F)
                or (>= 0x2B740 and <= 0x2B81F)
                or (>= 0x2B820 and <= 0x2CEAF)
                or (>= 0xF900 and <= 0xFAFF)
                or (>= 0x2F800 and <= 0x2FA1F);
}
