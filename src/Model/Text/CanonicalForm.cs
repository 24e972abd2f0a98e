using System.Globalization;
using System.Text;

namespace CoGrpo.Model.Text;

/// <summary>
/// Unicode normalisation forms C and D (UAX 15). The program runs without the system's globalization data, where .NET's own normalisation leaves
/// text as it is, hence this one with its own table.
/// </summary>
internal static class CanonicalForm
{
    private const int HangulBase = 0xAC00;
    private const int LeadBase = 0x1100;
    private const int VowelBase = 0x1161;
    private const int TrailBase = 0x11A7;
    private const int LeadCount = 19;
    private const int VowelCount = 21;
    private const int TrailCount = 28;

    private static readonly Lazy<Tables> Loaded = new(() => new Tables());

    /// <summary><paramref name="text"/> in form C. Lone surrogates become U+FFFD.</summary>
    public static string Compose(string text)
    {
        // Below U+0300 every text is in form C already.
        if (text.AsSpan().IndexOfAnyInRange('\u0300', '\uffff') < 0)
        {
            return text;
        }

        List<int> codes = Decomposed(text, Loaded.Value);
        return Joined(codes, Combine(codes, Loaded.Value));
    }

    /// <summary><paramref name="text"/> in form D. Lone surrogates become U+FFFD.</summary>
    public static string Decompose(string text)
    {
        // Below U+00C0 every text is in form D already.
        if (text.AsSpan().IndexOfAnyInRange('\u00c0', '\uffff') < 0)
        {
            return text;
        }

        List<int> codes = Decomposed(text, Loaded.Value);
        return Joined(codes, codes.Count);
    }

    private static List<int> Decomposed(string text, Tables tables)
    {
        List<int> codes = new(text.Length + 8);
        foreach (Rune rune in text.EnumerateRunes())
        {
            Decompose(rune.Value, codes, tables);
        }

        Order(codes, tables);
        return codes;
    }

    private static string Joined(List<int> codes, int count)
    {
        var result = new StringBuilder(count);
        foreach (int code in codes.Take(count))
        {
            result.Append(new Rune(code));
        }

        return result.ToString();
    }

    private static void Decompose(int code, List<int> codes, Tables tables)
    {
        int syllable = code - HangulBase;
        if (syllable is >= 0 and < LeadCount * VowelCount * TrailCount)
        {
            codes.Add(LeadBase + (syllable / (VowelCount * TrailCount)));
            codes.Add(VowelBase + (syllable / TrailCount % VowelCount));
            if (syllable % TrailCount != 0)
            {
                codes.Add(TrailBase + (syllable % TrailCount));
            }
        }
        else if (tables.Parts.TryGetValue(code, out int[]? parts))
        {
            foreach (int part in parts)
            {
                Decompose(part, codes, tables);
            }
        }
        else
        {
            codes.Add(code);
        }
    }

    /// <summary>Runs of combining marks in ascending class; marks of one class stay in order.</summary>
    private static void Order(List<int> codes, Tables tables)
    {
        for (int start = 0; start < codes.Count; start++)
        {
            int end = start;
            while (end < codes.Count && tables.ClassOf(codes[end]) != 0)
            {
                end++;
            }

            if (end - start > 1)
            {
                int[] sorted = [.. codes.Skip(start).Take(end - start).OrderBy(tables.ClassOf)];
                for (int i = 0; i < sorted.Length; i++)
                {
                    codes[start + i] = sorted[i];
                }
            }

            start = end;
        }
    }

    /// <summary>Joins every mark that nothing blocks to the last starter; returns how many code points remain.</summary>
    private static int Combine(List<int> codes, Tables tables)
    {
        int count = 0;
        int starter = -1;
        int lastClass = 0;
        for (int i = 0; i < codes.Count; i++)
        {
            int code = codes[i];
            int order = tables.ClassOf(code);
            bool adjacent = starter == count - 1;
            if (starter >= 0 && (adjacent || (lastClass < order && lastClass != 0)) && Join(codes[starter], code, tables) is { } joined)
            {
                codes[starter] = joined;
                continue;
            }

            if (order == 0)
            {
                starter = count;
            }

            lastClass = order;
            codes[count++] = code;
        }

        return count;
    }

    private static int? Join(int first, int second, Tables tables)
    {
        int lead = first - LeadBase;
        int vowel = second - VowelBase;
        if (lead is >= 0 and < LeadCount && vowel is >= 0 and < VowelCount)
        {
            return HangulBase + (((lead * VowelCount) + vowel) * TrailCount);
        }

        int syllable = first - HangulBase;
        int trail = second - TrailBase;
        if (syllable is >= 0 and < LeadCount * VowelCount * TrailCount && syllable % TrailCount == 0 && trail is > 0 and < TrailCount)
        {
            return first + trail;
        }

        return tables.Pairs.TryGetValue((first, second), out int joined) ? joined : null;
    }

    private sealed class Tables
    {
        private readonly Dictionary<int, byte> _classes = [];

        public Tables()
        {
            foreach (string line in TextResource.Lines("canonical.tsv"))
            {
                int tab = line.IndexOf('\t', StringComparison.Ordinal);
                ReadOnlySpan<char> value = line.AsSpan(tab + 1);
                int dash = line.IndexOf('-', StringComparison.Ordinal);
                if (dash > 0)
                {
                    for (int code = Hex(line.AsSpan(0, dash)); code <= Hex(line.AsSpan((dash + 1)..tab)); code++)
                    {
                        _classes.Add(code, byte.Parse(value[1..], CultureInfo.InvariantCulture));
                    }

                    continue;
                }

                bool composes = value[0] != '!';
                int[] parts = [.. TextResource.Characters(composes ? value : value[1..]).EnumerateRunes().Select(r => r.Value)];
                Parts.Add(Hex(line.AsSpan(0, tab)), parts);
                if (composes)
                {
                    Pairs.Add((parts[0], parts[1]), Hex(line.AsSpan(0, tab)));
                }
            }
        }

        public Dictionary<int, int[]> Parts { get; } = [];

        public Dictionary<(int First, int Second), int> Pairs { get; } = [];

        public int ClassOf(int code) => code < 0x300 ? 0 : _classes.GetValueOrDefault(code);

        private static int Hex(ReadOnlySpan<char> text) => int.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}
