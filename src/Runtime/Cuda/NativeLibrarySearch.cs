using System.Runtime.InteropServices;

namespace CoGrpo.Runtime.Cuda;

/// <summary>
/// A search for one native library under every name and in every folder it usually has, which can tell what it tried. The first that
/// loads is taken; it stays loaded for the life of the process.
/// </summary>
public sealed class NativeLibrarySearch
{
    private NativeLibrarySearch(string title, IReadOnlyList<string> tried, string? found, nint handle) =>
        (Title, Tried, Found, Handle) = (title, tried, found, handle);

    /// <summary>What the library is, for messages.</summary>
    public string Title { get; }

    /// <summary>Every name tried, in order, the one found last; a file that is there and does not load stands with the reason.</summary>
    public IReadOnlyList<string> Tried { get; }

    /// <summary>The name that loaded, or null.</summary>
    public string? Found { get; }

    /// <summary>The loaded library, or 0.</summary>
    public nint Handle { get; }

    /// <summary>The outcome in a few words.</summary>
    public string Summary => Found is null ? $"{string.Join(", ", Tried)}: not found" : $"{Found}: found";

    /// <summary>Tries <paramref name="names"/> as the system finds them, then in each of <paramref name="folders"/>.</summary>
    /// <param name="title">What the library is.</param>
    /// <param name="names">File names without folder, the newest version first.</param>
    /// <param name="folders">Folders looked into after the system's own search path; those that do not exist are passed over.</param>
    /// <param name="first">Null, or a file or folder the user named, tried before all else.</param>
    public static NativeLibrarySearch For(string title, IReadOnlyList<string> names, IReadOnlyList<string> folders, string? first = null)
    {
        List<string> tried = [];
        foreach (string candidate in Candidates(names, folders, first))
        {
            if (NativeLibrary.TryLoad(candidate, out nint handle))
            {
                tried.Add(candidate);
                return new NativeLibrarySearch(title, tried, candidate, handle);
            }

            tried.Add(File.Exists(candidate) ? $"{candidate} (it does not load: {Reason(candidate)})" : candidate);
        }

        return new NativeLibrarySearch(title, tried, null, 0);
    }

    /// <summary>Why the system's loader refuses a file; on one line.</summary>
    private static string Reason(string file)
    {
        try
        {
            NativeLibrary.Free(NativeLibrary.Load(file));
            return "it did at the second attempt";
        }
        catch (Exception error) when (error is DllNotFoundException or BadImageFormatException)
        {
            // The runtime's general advice is the first line, the loader's own words are the next.
            string[] lines = error.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            string own = lines[Math.Min(1, lines.Length - 1)];
            return own.StartsWith(file, StringComparison.Ordinal) ? own[file.Length..].TrimStart(':', ' ') : own;
        }
    }

    private static IEnumerable<string> Candidates(IReadOnlyList<string> names, IReadOnlyList<string> folders, string? first)
    {
        if (!string.IsNullOrEmpty(first))
        {
            if (Directory.Exists(first))
            {
                foreach (string name in names)
                {
                    yield return Path.Combine(first, name);
                }
            }
            else
            {
                yield return first;
            }
        }

        foreach (string name in names)
        {
            yield return name;
        }

        foreach (string folder in folders.Where(Directory.Exists))
        {
            foreach (string name in names.Where(name => File.Exists(Path.Combine(folder, name))))
            {
                yield return Path.Combine(folder, name);
            }
        }
    }
}
