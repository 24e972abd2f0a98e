using System.Globalization;
using System.Text;

namespace CoGrpo.Model.Tokenizers;

/// <summary>
/// Splits cleaned text as CLIP does, by Unicode characters and not by UTF-16 units: special strings, English endings, runs of letters, single digits,
/// runs of the rest.
/// </summary>
internal ref struct ClipWords
{
    private static readonly string[] Endings = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

    private readonly string _start;
    private readonly string _end;
    private ReadOnlySpan<char> _rest;

    /// <summary>Over <paramref name="text"/>, in which <paramref name="start"/> and <paramref name="end"/> are special.</summary>
    public ClipWords(ReadOnlySpan<char> text, string start, string end)
    {
        _rest = text;
        (_start, _end) = (start, end);
        Word = default;
        Special = null;
    }

    private enum Kind
    {
        Space,
        Letter,
        Digit,
        Other,
    }

    /// <summary>The current piece.</summary>
    public ReadOnlySpan<char> Word { get; private set; }

    /// <summary>The special string that the current piece is, or null.</summary>
    public string? Special { get; private set; }

    /// <summary>Steps to the next piece; false at the end.</summary>
    public bool Next()
    {
        while (!_rest.IsEmpty && KindAt(_rest, out int skipped) == Kind.Space)
        {
            _rest = _rest[skipped..];
        }

        if (_rest.IsEmpty)
        {
            return false;
        }

        Special = StartsWith(_start) ? _start : StartsWith(_end) ? _end : null;
        int length = Special?.Length ?? Ending();
        if (length == 0)
        {
            Kind kind = KindAt(_rest, out length);
            while (kind != Kind.Digit && length < _rest.Length && KindAt(_rest[length..], out int next) == kind)
            {
                length += next;
            }
        }

        Word = _rest[..length];
        _rest = _rest[length..];
        return true;
    }

    private readonly bool StartsWith(string special) => _rest.StartsWith(special, StringComparison.OrdinalIgnoreCase);

    private readonly int Ending()
    {
        if (_rest[0] == '\'')
        {
            foreach (string ending in Endings)
            {
                if (_rest.StartsWith(ending, StringComparison.OrdinalIgnoreCase))
                {
                    return ending.Length;
                }
            }
        }

        return 0;
    }

    private static Kind KindAt(ReadOnlySpan<char> text, out int length)
    {
        Rune.DecodeFromUtf16(text, out Rune rune, out length);
        return Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.UppercaseLetter
            or UnicodeCategory.LowercaseLetter
            or UnicodeCategory.TitlecaseLetter
            or UnicodeCategory.ModifierLetter
            or UnicodeCategory.OtherLetter => Kind.Letter,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Kind.Digit,
            _ => ClipText.IsSpace(rune) ? Kind.Space : Kind.Other,
        };
    }
}
