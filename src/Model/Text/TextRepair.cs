using System.Text;

namespace CoGrpo.Model.Text;

/// <summary>
/// What the tokenizers of CLIP models expect to have been done to a prompt by a repair of its characters: references of HTML, misread
/// encodings, ligatures, widths, curly quotes, line breaks, terminal escapes and controls, then normalisation form C.
/// </summary>
internal static class TextRepair
{
    // Each round undoes one layer; text that is still changing then was made to.
    private const int MostRounds = 8;

    private static readonly Lazy<Dictionary<char, string>> Widths = new(LoadWidths);

    private static readonly Dictionary<char, string> Ligatures = new()
    {
        ['\u0132'] = "IJ", ['\u0133'] = "ij", ['\u0149'] = "\u02bcn",
        ['\u01c4'] = "D\u017d", ['\u01c5'] = "D\u017e", ['\u01c6'] = "d\u017e", ['\u01c7'] = "LJ", ['\u01c8'] = "Lj", ['\u01c9'] = "lj",
        ['\u01ca'] = "NJ", ['\u01cb'] = "Nj", ['\u01cc'] = "nj", ['\u01f1'] = "DZ", ['\u01f2'] = "Dz", ['\u01f3'] = "dz",
        ['\ufb00'] = "ff", ['\ufb01'] = "fi", ['\ufb02'] = "fl", ['\ufb03'] = "ffi", ['\ufb04'] = "ffl", ['\ufb05'] = "\u017ft", ['\ufb06'] = "st",
    };

    /// <summary>The repaired text. Lone surrogates become U+FFFD.</summary>
    public static string Repair(string text)
    {
        var result = new StringBuilder(text.Length);
        bool isHtml = false;
        for (int start = 0; start < text.Length;)
        {
            int feed = text.IndexOf('\n', start);
            int end = feed < 0 ? text.Length : feed + 1;
            string line = text[start..end];

            // Where a tag has been seen the text is HTML and its references are meant to stay.
            isHtml |= line.Contains('<', StringComparison.Ordinal);
            result.Append(RepairLine(line, !isHtml));
            start = end;
        }

        return result.ToString();
    }

    private static string RepairLine(string line, bool references)
    {
        for (int round = 0; round < MostRounds; round++)
        {
            string before = line;
            line = MisreadText.Repair(references ? HtmlReferences.ReplaceComplete(line) : line);
            line = CanonicalForm.Compose(ReplaceCharacters(line));
            if (line == before)
            {
                break;
            }
        }

        return line;
    }

    private static string ReplaceCharacters(string line)
    {
        var result = new StringBuilder(line.Length);
        for (int i = 0; i < line.Length; i++)
        {
            int escape = TerminalEscape(line.AsSpan(i));
            if (escape > 0)
            {
                i += escape - 1;
            }
            else if (char.IsSurrogate(line[i]))
            {
                bool paired = i + 1 < line.Length && char.IsSurrogatePair(line[i], line[i + 1]);
                result.Append(paired ? line.AsSpan(i, 2) : "\ufffd");
                i += paired ? 1 : 0;
            }
            else
            {
                Append(result, line[i]);
            }
        }

        return result.Replace("\r\n", "\n").Replace('\r', '\n').ToString();
    }

    private static void Append(StringBuilder result, char c)
    {
        if (c is >= '\u0080' and <= '\u009f')
        {
            c = Windows1252.Character((byte)c);
        }

        if (Ligatures.TryGetValue(c, out string? parts) || ((c == '\u3000' || c >= '\uff01') && Widths.Value.TryGetValue(c, out parts)))
        {
            foreach (char part in parts)
            {
                Append(result, part);
            }

            return;
        }

        switch (c)
        {
            case '\u02bc' or (>= '\u2018' and <= '\u201b'):
                result.Append('\'');
                break;
            case >= '\u201c' and <= '\u201f':
                result.Append('"');
                break;
            case '\u2028' or '\u2029':
                result.Append('\n');
                break;
            case <= '\u0008'
            or '\u000b'
            or (>= '\u000e' and <= '\u001f')
            or '\u007f'
            or (>= '\u206a' and <= '\u206f')
            or '\ufeff'
            or (>= '\ufff9' and <= '\ufffc'):
                break;
            default:
                result.Append(c);
                break;
        }
    }

    /// <summary>Length of a colour or cursor sequence at the start: ESC [ digits and semicolons, a letter; 0 for none.</summary>
    private static int TerminalEscape(ReadOnlySpan<char> text)
    {
        if (text.Length < 3 || text[0] != '\u001b' || text[1] != '[')
        {
            return 0;
        }

        int end = 2;
        while (end < text.Length && (char.IsAsciiDigit(text[end]) || text[end] == ';'))
        {
            end++;
        }

        return end < text.Length && char.IsAsciiLetter(text[end]) ? end + 1 : 0;
    }

    private static Dictionary<char, string> LoadWidths()
    {
        Dictionary<char, string> widths = [];
        foreach (string line in TextResource.Lines("width.tsv"))
        {
            int tab = line.IndexOf('\t', StringComparison.Ordinal);
            widths.Add(TextResource.Characters(line.AsSpan(0, tab))[0], TextResource.Characters(line.AsSpan(tab + 1)));
        }

        return widths;
    }
}
