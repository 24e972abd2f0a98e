using System.Globalization;

namespace CoGrpo.Model.Text;

/// <summary>
/// Tables of text that are part of the assembly (data/ in the repository): lines of UTF-8, those that begin with <c># </c> are remarks.
/// </summary>
internal static class TextResource
{
    /// <summary>The lines of the table called <paramref name="name"/>, remarks left out.</summary>
    public static IEnumerable<string> Lines(string name)
    {
        using var reader = new StreamReader(Open(name));
        while (reader.ReadLine() is { } line)
        {
            if (!line.StartsWith("# ", StringComparison.Ordinal))
            {
                yield return line;
            }
        }
    }

    /// <summary>The bytes of the resource called <paramref name="name"/>.</summary>
    public static Stream Open(string name) =>
        typeof(TextResource).Assembly.GetManifestResourceStream($"CoGrpo.Model.{name}")
        ?? throw new InvalidOperationException($"resource {name} is not in the assembly");

    /// <summary>The text of code points in hexadecimal, separated by spaces.</summary>
    public static string Characters(ReadOnlySpan<char> codes)
    {
        string text = "";
        foreach (Range part in codes.Split(' '))
        {
            text += char.ConvertFromUtf32(int.Parse(codes[part], NumberStyles.HexNumber, CultureInfo.InvariantCulture));
        }

        return text;
    }
}
