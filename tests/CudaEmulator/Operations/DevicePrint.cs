using System.Globalization;
using System.Text;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>printf as device code has it: arguments lie one after the other, each aligned to its size.</summary>
internal static class DevicePrint
{
    /// <summary>The text that a format makes.</summary>
    /// <param name="format">Format in the manner of C.</param>
    /// <param name="argument">Bits of so many bytes at an offset of the arguments.</param>
    /// <param name="text">The text at an address.</param>
    public static string Format(string format, Func<int, int, ulong> argument, Func<ulong, string> text)
    {
        StringBuilder result = new();
        int offset = 0;
        int at = 0;
        ulong Take(int size)
        {
            offset = (offset + size - 1) / size * size;
            ulong value = argument(offset, size);
            offset += size;
            return value;
        }

        while (at < format.Length)
        {
            char c = format[at++];
            if (c != '%' || at >= format.Length)
            {
                result.Append(c);
                continue;
            }

            string flags = "";
            while (at < format.Length && "-+ #0".Contains(format[at], StringComparison.Ordinal))
            {
                flags += format[at++];
            }

            int width = Number(format, ref at, Take) ?? 0;
            int? precision = null;
            if (at < format.Length && format[at] == '.')
            {
                at++;
                precision = Number(format, ref at, Take) ?? 0;
            }

            string length = "";
            while (at < format.Length && "hlLqjzt".Contains(format[at], StringComparison.Ordinal))
            {
                length += format[at++];
            }

            char kind = at < format.Length ? format[at++] : '%';
            int bytes = length is "l" or "ll" or "q" or "j" or "z" or "t" ? 8 : 4;
            string value = kind switch
            {
                '%' => "%",
                'd' or 'i' => Signed(bytes == 8 ? (long)Take(8) : (int)Take(4), flags, precision),
                'u' => Digits(Take(bytes).ToString(CultureInfo.InvariantCulture), precision),
                'x' => Prefixed("0x", Digits(Take(bytes).ToString("x", CultureInfo.InvariantCulture), precision), flags),
                'X' => Prefixed("0X", Digits(Take(bytes).ToString("X", CultureInfo.InvariantCulture), precision), flags),
                'o' => Prefixed("0", Digits(Convert.ToString((long)Take(bytes), 8), precision), flags),
                'c' => ((char)(byte)Take(4)).ToString(),
                's' => Cut(text(Take(8)), precision),
                'p' => "0x" + Take(8).ToString("x", CultureInfo.InvariantCulture),
                'f' or 'F' or 'e' or 'E' or 'g' or 'G' or 'a' or 'A' => FloatText.Format(
                    BitConverter.UInt64BitsToDouble(Take(8)),
                    kind,
                    flags,
                    precision
                ),
                _ => $"%{flags}{kind}",
            };
            bool zeros =
                flags.Contains('0', StringComparison.Ordinal)
                && !flags.Contains('-', StringComparison.Ordinal)
                && !(precision is not null && "diuxXo".Contains(kind, StringComparison.Ordinal));
            result.Append(Padded(value, width, flags.Contains('-', StringComparison.Ordinal), zeros));
        }

        return result.ToString();
    }

    private static int? Number(string format, ref int at, Func<int, ulong> take)
    {
        if (at < format.Length && format[at] == '*')
        {
            at++;
            return (int)take(4);
        }

        int start = at;
        while (at < format.Length && char.IsAsciiDigit(format[at]))
        {
            at++;
        }

        return at == start ? null : int.Parse(format.AsSpan(start, at - start), CultureInfo.InvariantCulture);
    }

    private static string Signed(long value, string flags, int? precision)
    {
        string digits = Digits(
            value < 0 ? value.ToString(CultureInfo.InvariantCulture)[1..] : value.ToString(CultureInfo.InvariantCulture),
            precision
        );
        return value < 0 ? "-" + digits : FloatText.Sign(flags) + digits;
    }

    private static string Digits(string digits, int? precision) => precision is { } least ? digits.PadLeft(least, '0') : digits;

    private static string Prefixed(string prefix, string digits, string flags) =>
        flags.Contains('#', StringComparison.Ordinal) && digits.Trim('0').Length > 0 ? prefix + digits : digits;

    private static string Cut(string text, int? precision) => precision is { } most && most < text.Length ? text[..most] : text;

    private static string Padded(string value, int width, bool left, bool zeros)
    {
        if (value.Length >= width)
        {
            return value;
        }

        if (left)
        {
            return value.PadRight(width);
        }

        if (!zeros)
        {
            return value.PadLeft(width);
        }

        int sign = value.Length > 0 && value[0] is '-' or '+' or ' ' ? 1 : 0;
        int prefix = value.AsSpan(sign).StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? sign + 2 : sign;
        return value[..prefix] + new string('0', width - value.Length) + value[prefix..];
    }
}

/// <summary>Floating-point numbers as C prints them.</summary>
internal static class FloatText
{
    public static string Sign(string flags) =>
        flags.Contains('+', StringComparison.Ordinal) ? "+"
        : flags.Contains(' ', StringComparison.Ordinal) ? " "
        : "";

    public static string Format(double value, char kind, string flags, int? precision)
    {
        bool upper = char.IsUpper(kind);
        string sign = double.IsNegative(value) ? "-" : Sign(flags);
        value = Math.Abs(value);
        string body = double.IsNaN(value) ? "nan" : double.IsInfinity(value) ? "inf" : char.ToLowerInvariant(kind) switch
        {
            'f' => value.ToString("F" + (precision ?? 6), CultureInfo.InvariantCulture),
            'e' => Exponent(value, precision ?? 6),
            'g' => General(value, precision ?? 6, flags.Contains('#', StringComparison.Ordinal)),
            _ => Hexadecimal(value),
        };
        return sign + (upper ? body.ToUpperInvariant() : body);
    }

    private static string Exponent(double value, int digits) =>
        value.ToString((digits == 0 ? "0" : "0." + new string('0', digits)) + "e+00", CultureInfo.InvariantCulture);

    private static string General(double value, int precision, bool keepsZeros)
    {
        int digits = Math.Max(1, precision);
        if (value == 0)
        {
            return "0";
        }

        string scientific = Exponent(value, digits - 1);
        int exponent = int.Parse(
            scientific.AsSpan(scientific.IndexOf('e', StringComparison.Ordinal) + 1),
            NumberStyles.AllowLeadingSign,
            CultureInfo.InvariantCulture
        );
        bool plain = exponent >= -4 && exponent < digits;
        string text = plain ? value.ToString("F" + (digits - 1 - exponent), CultureInfo.InvariantCulture) : scientific;
        if (keepsZeros)
        {
            return text;
        }

        int end = plain ? text.Length : text.IndexOf('e', StringComparison.Ordinal);
        string mantissa = text[..end];
        mantissa = mantissa.Contains('.', StringComparison.Ordinal) ? mantissa.TrimEnd('0').TrimEnd('.') : mantissa;
        return mantissa + text[end..];
    }

    private static string Hexadecimal(double value)
    {
        ulong bits = BitConverter.DoubleToUInt64Bits(value);
        int exponent = (int)(bits >> 52);
        string fraction = (bits & 0xFFFFFFFFFFFFF).ToString("x13", CultureInfo.InvariantCulture).TrimEnd('0');
        int power = exponent == 0 ? (value == 0 ? 0 : -1022) : exponent - 1023;
        return $"0x{(exponent == 0 ? 0 : 1)}{(fraction.Length > 0 ? "." + fraction : "")}p{(power < 0 ? "-" : "+")}{Math.Abs(power)}";
    }
}
