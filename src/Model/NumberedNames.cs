using System.Globalization;

namespace CoGrpo.Model;

/// <summary>
/// Names of tensors for messages: those that differ in the number of their layer alone become one, so that every tensor of a network of many layers
/// can be named in a line.
/// </summary>
internal static class NumberedNames
{
    /// <summary>
    /// <paramref name="names"/> with the first number between dots of equal names put together: <c>blocks.{0-22,24}.attn.weight</c>. In the order of
    /// their first.
    /// </summary>
    public static IEnumerable<string> Summarised(IEnumerable<string> names)
    {
        List<string> order = [];
        var numbers = new Dictionary<string, SortedSet<int>>(StringComparer.Ordinal);
        foreach (string name in names)
        {
            string[] parts = name.Split('.');
            int at = Array.FindIndex(parts, part => part.Length is > 0 and < 7 && part.All(char.IsAsciiDigit));
            int number = at < 0 ? 0 : int.Parse(parts[at], CultureInfo.InvariantCulture);
            if (at >= 0)
            {
                parts[at] = "{}";
            }

            string pattern = string.Join('.', parts);
            if (!numbers.TryGetValue(pattern, out SortedSet<int>? found))
            {
                order.Add(pattern);
                numbers.Add(pattern, found = []);
            }

            found.Add(number);
        }

        return order.Select(pattern => pattern.Replace("{}", Ranges([.. numbers[pattern]]), StringComparison.Ordinal));
    }

    private static string Ranges(int[] numbers)
    {
        List<string> ranges = [];
        for (int first = 0, last; first < numbers.Length; first = last + 1)
        {
            last = first;
            while (last + 1 < numbers.Length && numbers[last + 1] == numbers[last] + 1)
            {
                last++;
            }

            ranges.Add(first == last ? $"{numbers[first]}" : $"{numbers[first]}-{numbers[last]}");
        }

        return numbers.Length == 1 ? ranges[0] : $"{{{string.Join(',', ranges)}}}";
    }
}
