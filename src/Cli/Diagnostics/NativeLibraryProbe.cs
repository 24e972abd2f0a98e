namespace CoGrpo.Cli.Diagnostics;

/// <summary>Outcome of looking for one native library by its usual names.</summary>
/// <param name="Title">What the library is.</param>
/// <param name="Tried">The names tried, in order, up to the one found.</param>
/// <param name="Found">The name that loaded, or null.</param>
/// <param name="Remedy">What to do where it is missing.</param>
internal sealed record NativeLibraryProbe(string Title, IReadOnlyList<string> Tried, string? Found, string Remedy)
{
    /// <summary>The outcome in a few words.</summary>
    public string Summary => Found is null ? $"{string.Join(", ", Tried)}: not found" : $"{Found}: found";
}
