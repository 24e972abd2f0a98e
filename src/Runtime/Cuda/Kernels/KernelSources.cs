using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace CoGrpo.Runtime.Cuda.Kernels;

/// <summary>The CUDA C++ sources of the library, embedded in its assembly: one program per operation, and the headers they share.</summary>
public static partial class KernelSources
{
    private const string Folder = "kernels/";
    private const string ProgramSuffix = ".cu";

    private static readonly Dictionary<string, string> Texts = Read();

    /// <summary>Text of every header by file name.</summary>
    public static IReadOnlyDictionary<string, string> Headers { get; } =
        Texts.Where(entry => !entry.Key.EndsWith(ProgramSuffix, StringComparison.Ordinal)).ToDictionary(StringComparer.Ordinal);

    /// <summary>Stems of all programs, in alphabetical order: <c>adaln</c> for adaln.cu.</summary>
    public static IReadOnlyList<string> Stems { get; } =
    [
        .. Texts
            .Keys.Where(name => name.EndsWith(ProgramSuffix, StringComparison.Ordinal))
            .Select(name => name[..^ProgramSuffix.Length])
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>File name of a program.</summary>
    public static string FileName(string stem) => stem + ProgramSuffix;

    /// <summary>Text of a program.</summary>
    /// <exception cref="KeyNotFoundException">There is none of that stem.</exception>
    public static string Text(string stem) => Texts[FileName(stem)];

    /// <summary>SHA-256 over a program and the headers it includes, in hexadecimal: changes whenever the code does.</summary>
    public static string Fingerprint(string stem)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        SortedSet<string> included = new(StringComparer.Ordinal);
        AddIncluded(FileName(stem), included);
        Append(hash, FileName(stem), Text(stem));
        foreach (string name in included)
        {
            Append(hash, name, Texts[name]);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Adds the headers that a file includes, and those that they include.</summary>
    private static void AddIncluded(string file, SortedSet<string> included)
    {
        foreach (Match include in Include().Matches(Texts[file]))
        {
            string name = include.Groups["name"].Value;
            if (Texts.ContainsKey(name) && included.Add(name))
            {
                AddIncluded(name, included);
            }
        }
    }

    [GeneratedRegex("""^\s*#\s*include\s+"(?<name>[^"]+)"\s*$""", RegexOptions.Multiline)]
    private static partial Regex Include();

    private static void Append(IncrementalHash hash, string name, string text)
    {
        hash.AppendData(Encoding.UTF8.GetBytes($"{name}\0{text.Length}\0"));
        hash.AppendData(Encoding.UTF8.GetBytes(text));
    }

    private static Dictionary<string, string> Read()
    {
        Assembly assembly = typeof(KernelSources).Assembly;
        Dictionary<string, string> texts = new(StringComparer.Ordinal);
        foreach (string name in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Folder, StringComparison.Ordinal)))
        {
            using StreamReader reader = new(assembly.GetManifestResourceStream(name)!);
            texts.Add(name[Folder.Length..], reader.ReadToEnd());
        }

        return texts;
    }
}
