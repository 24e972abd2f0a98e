using System.Globalization;
using System.Text;
using CoGrpo.Model.Text;

namespace CoGrpo.Model.Tokenizers;

/// <summary>Cleans prompts for a <see cref="BertTokenizer"/> and splits them into words, as the original's basic tokenizer does.</summary>
internal static class BertText
{
    private const char CapitalSigma = '\u03a3';
    private const char Sigma = '\u03c3';

    /// <summary>
    /// <paramref name="text"/> without controls and accents, in lower case, with one blank between words and around ideographs and punctuation.
    /// </summary>
    public static string Split(string text)
    {
        // The original lower-cases character by character, where no sigma ends a word.
        string clean = CanonicalForm.Decompose(ClipText.HuggingFace(text.Replace(CapitalSigma, Sigma)));
        var result = new StringBuilder(clean.Length + 8);
        foreach (Rune rune in clean.EnumerateRunes())
        {
            UnicodeCategory category = Rune.GetUnicodeCategory(rune);
            if (IsPunctuation(rune.Value, category))
            {
                result.Append(' ').Append(rune).Append(' ');
            }
            else if (category != UnicodeCategory.NonSpacingMark)
            {
                result.Append(rune);
            }
        }

        return result.ToString();
    }

    /// <summary>Everything of ASCII that is neither letter, digit nor blank counts, also where Unicode has a symbol.</summary>
    private static bool IsPunctuation(int code, UnicodeCategory category) =>
        code is (>= 33 and <= 47) or (>= 58 and <= 64) or (>= 91 and <= 96) or (>= 123 and <= 126)
        || category is >= UnicodeCategory.ConnectorPunctuation and <= UnicodeCategory.OtherPunctuation;
}
