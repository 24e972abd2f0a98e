using System.Globalization;
using System.Text;

namespace CoGrpo.Model.Text;

/// <summary>
/// Undoes UTF-8 that was read as Windows-1252 or Latin-1 (<c>cafÃ©</c>). A sequence of characters is turned back where it has a shape that
/// people do not write; where one such stands in a line that as a whole may have been UTF-8, all of the line is.
/// </summary>
internal static class MisreadText
{
    // Text may have been misread several times over; more often than this it is not text.
    private const int MostLayers = 4;

    private enum Sign
    {
        None,
        Weak,
        Strong,
    }

    /// <summary>One line with its misread sequences turned back.</summary>
    public static string Repair(string line)
    {
        for (int layer = 0; layer < MostLayers; layer++)
        {
            string repaired = RepairLayer(line);
            if (repaired == line)
            {
                break;
            }

            line = repaired;
        }

        return line;
    }

    private static string RepairLayer(string line)
    {
        if (Ascii.IsValid(line))
        {
            return line;
        }

        bool consistent = true;
        Sign best = Sign.None;
        for (int i = 0; i < line.Length;)
        {
            int length = Sequence(line.AsSpan(i), out _, out Sign sign);
            consistent &= length > 0 || line[i] < 0x80;
            best = sign > best ? sign : best;
            i += Math.Max(1, length);
        }

        Sign least = consistent && best != Sign.None ? Sign.None : Sign.Strong;
        if (best < least)
        {
            return line;
        }

        var result = new StringBuilder(line.Length);
        for (int i = 0; i < line.Length;)
        {
            int length = Sequence(line.AsSpan(i), out Rune meant, out Sign sign);
            if (length > 0 && sign >= least)
            {
                result.Append(meant);
                i += length;
            }
            else
            {
                result.Append(line[i++]);
            }
        }

        return result.ToString();
    }

    /// <summary>The characters at the start that are bytes of one well-formed UTF-8 sequence of two or more; 0 for none.</summary>
    private static int Sequence(ReadOnlySpan<char> text, out Rune meant, out Sign sign)
    {
        meant = default;
        sign = Sign.None;
        Span<byte> bytes = stackalloc byte[4];
        int count = 0;
        while (count < Math.Min(4, text.Length) && Windows1252.Byte(text[count]) is >= 0x80 and int code)
        {
            bytes[count++] = (byte)code;
        }

        if (count < 2 || Rune.DecodeFromUtf8(bytes[..count], out meant, out int length) != System.Buffers.OperationStatus.Done)
        {
            return 0;
        }

        sign = SignOf(text[..length], bytes[0]);
        return length;
    }

    private static Sign SignOf(ReadOnlySpan<char> characters, byte lead)
    {
        if (characters.IndexOfAnyInRange('\u0080', '\u009f') >= 0)
        {
            return Sign.Strong;
        }

        char second = characters[1];
        return lead switch
        {
            0xC2 or 0xC3 => IsTypographic(second) ? Sign.None : Sign.Strong,
            < 0xE0 => IsTypographic(second) || char.IsLetter(second) || second is '\u2122' or '\u00ae' or '\u00a9' or '\u00b0'
                ? Sign.None
                : Sign.Weak,
            0xE2 when second == '\u20ac' => Sign.Strong,
            < 0xF0 => IsSymbol(second) || IsSymbol(characters[2]) ? Sign.Strong : Sign.None,
            _ => Sign.Strong,
        };
    }

    /// <summary>Quotes, dashes and dots, which stand behind accented letters in ordinary text.</summary>
    private static bool IsTypographic(char c) => c is >= '\u2013' and <= '\u2026' or '\u2039' or '\u203a';

    private static bool IsSymbol(char c) =>
        char.GetUnicodeCategory(c)
            is UnicodeCategory.OtherNumber
                or UnicodeCategory.CurrencySymbol
                or UnicodeCategory.MathSymbol
                or UnicodeCategory.ModifierSymbol
                or UnicodeCategory.OtherSymbol;
}
