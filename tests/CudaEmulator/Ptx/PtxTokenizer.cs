namespace CoGrpo.CudaEmulator.Ptx;

/// <summary>Splits PTX text into tokens; comments are passed over.</summary>
internal sealed class PtxTokenizer
{
    private static readonly string[] Symbols = [.. Enumerable.Range(0, 128).Select(c => ((char)c).ToString())];

    private readonly string _text;
    private readonly Dictionary<string, string>.AlternateLookup<ReadOnlySpan<char>> _known =
        new Dictionary<string, string>(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();

    private int _at;
    private int _line = 1;

    public PtxTokenizer(string text) => _text = text;

    /// <exception cref="PtxException">A character that no token starts with.</exception>
    public PtxToken Next()
    {
        SkipBlanks();
        if (_at >= _text.Length)
        {
            return new PtxToken(PtxTokenKind.End, "end of text", _line);
        }

        int start = _at;
        char first = _text[_at];
        if (first == '.' && _at + 1 < _text.Length && IsNamePart(_text[_at + 1]))
        {
            _at++;
            while (_at < _text.Length && (IsNamePart(_text[_at]) || (_text[_at] == ':' && _at + 1 < _text.Length && _text[_at + 1] == ':')))
            {
                _at += _text[_at] == ':' ? 2 : 1;
            }

            return Token(PtxTokenKind.Dotted, start);
        }

        if (char.IsAsciiDigit(first))
        {
            return Number(start);
        }

        if (IsNamePart(first) || first == '%')
        {
            do
            {
                _at++;
            }
            while (_at < _text.Length && IsNamePart(_text[_at]));
            return Token(PtxTokenKind.Name, start);
        }

        if (first == '"')
        {
            int end = _text.IndexOf('"', _at + 1);
            if (end < 0)
            {
                throw new PtxException(_line, "wanted a closing quote, found the end of the text");
            }

            _at = end + 1;
            return new PtxToken(PtxTokenKind.Text, _text[(start + 1)..end], _line);
        }

        if (first >= 128 || char.IsControl(first))
        {
            throw new PtxException(_line, $"character U+{(int)first:X4} starts no token");
        }

        _at++;
        return new PtxToken(PtxTokenKind.Symbol, Symbols[first], _line);
    }

    private static bool IsNamePart(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '$';

    private PtxToken Number(int start)
    {
        // 0f and 0d are followed by the bits in hexadecimal; a decimal fraction may have an exponent with a sign.
        bool hexadecimal = _text[start] == '0' && _at + 1 < _text.Length && _text[_at + 1] is 'x' or 'X' or 'f' or 'F' or 'd' or 'D';
        _at++;
        while (_at < _text.Length)
        {
            char c = _text[_at];
            bool exponent = !hexadecimal && c is '+' or '-' && _text[_at - 1] is 'e' or 'E';
            if (!char.IsAsciiLetterOrDigit(c) && !(c == '.' && !hexadecimal) && !exponent)
            {
                break;
            }

            _at++;
        }

        return Token(PtxTokenKind.Number, start);
    }

    private PtxToken Token(PtxTokenKind kind, int start)
    {
        ReadOnlySpan<char> span = _text.AsSpan(start, _at - start);
        if (!_known.TryGetValue(span, out string? text))
        {
            text = span.ToString();
            _known[span] = text;
        }

        return new PtxToken(kind, text, _line);
    }

    private void SkipBlanks()
    {
        while (_at < _text.Length)
        {
            char c = _text[_at];
            if (c == '\n')
            {
                _line++;
                _at++;
            }
            else if (c is ' ' or '\t' or '\r')
            {
                _at++;
            }
            else if (c == '/' && _at + 1 < _text.Length && _text[_at + 1] == '/')
            {
                int end = _text.IndexOf('\n', _at);
                _at = end < 0 ? _text.Length : end;
            }
            else if (c == '/' && _at + 1 < _text.Length && _text[_at + 1] == '*')
            {
                int end = _text.IndexOf("*/", _at + 2, StringComparison.Ordinal);
                int stop = end < 0 ? _text.Length : end + 2;
                _line += _text.AsSpan(_at, stop - _at).Count('\n');
                _at = stop;
            }
            else
            {
                break;
            }
        }
    }
}
