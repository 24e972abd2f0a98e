using CoGrpo.Model.Text;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Model.Conversion;

/// <summary>Compares the tensors that a network asks for with those that are there.</summary>
internal static class TensorFit
{
    /// <summary>As many problems as a message names.</summary>
    public const int Shown = 12;

    // The nearest of a thousand names costs a millisecond or two: a file of quite another network is not searched to its end.
    private const int MostSearched = 64;

    /// <summary>
    /// Everything that does not fit, each in a few words: missing, of another shape, of no floating-point type, unknown with the nearest name of a
    /// missing or known one.
    /// </summary>
    public static IReadOnlyList<string> Problems(
        IReadOnlyList<SafetensorsTensor> expected,
        IReadOnlyDictionary<string, SafetensorsTensor> found,
        Func<string, bool> ignores
    )
    {
        List<string> problems = [];
        List<string> missing = [];
        HashSet<string> known = new(StringComparer.Ordinal);
        foreach (SafetensorsTensor wanted in expected)
        {
            known.Add(wanted.Name);
            if (!found.TryGetValue(wanted.Name, out SafetensorsTensor? tensor))
            {
                missing.Add(wanted.Name);
            }
            else if (!tensor.Shape.SequenceEqual(wanted.Shape))
            {
                problems.Add($"{wanted.Name} is [{string.Join(',', tensor.Shape.ToArray())}], wanted [{string.Join(',', wanted.Shape.ToArray())}]");
            }
            else if (!tensor.Type.IsFloatingPoint())
            {
                problems.Add($"{wanted.Name} is {tensor.Type}, wanted F32, F16, BF16 or F64");
            }
        }

        if (missing.Count > 0)
        {
            // All of them, in one problem: those of one place in many layers are one name.
            problems.Insert(0, missing.Count == 1 ? $"{missing[0]} is missing" : $"missing {string.Join(", ", NumberedNames.Summarised(missing))}");
        }

        int searched = 0;
        foreach (string name in found.Keys.Where(name => !known.Contains(name) && !ignores(name)).Order(StringComparer.Ordinal))
        {
            // A mistyped name stands for one that is missing.
            string? nearest = searched++ < MostSearched ? NearestName.Find(Printable(name), missing.Count > 0 ? missing : known) : null;
            problems.Add($"{Printable(name)} is not a tensor of this network{(nearest is null ? "" : $", nearest is {nearest}")}");
        }

        return problems;
    }

    /// <summary>Refuses a misfit.</summary>
    /// <exception cref="ModelException">Names the first dozen of the problems and counts the others.</exception>
    public static void Require(
        string where,
        IReadOnlyList<SafetensorsTensor> expected,
        IReadOnlyDictionary<string, SafetensorsTensor> found,
        Func<string, bool> ignores
    )
    {
        IReadOnlyList<string> problems = Problems(expected, found, ignores);
        if (problems.Count > 0)
        {
            throw new ModelException(
                $"{where}: weights do not fit the configuration: {Listed(problems)}; use the config.json that belongs to these weights"
            );
        }
    }

    /// <summary>The first dozen and a count of the others.</summary>
    public static string Listed(IReadOnlyList<string> problems) =>
        string.Join("; ", problems.Take(Shown)) + (problems.Count > Shown ? $"; and {problems.Count - Shown} more" : "");

    /// <summary>Names come from files: their length is bounded and control characters do not reach the terminal.</summary>
    private static string Printable(string name) =>
        string.Concat((name.Length <= 160 ? name : name[..160] + "...").Select(c => char.IsControl(c) ? '?' : c));
}
