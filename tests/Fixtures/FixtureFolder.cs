using System.Text.Json;

namespace CoGrpo.Tests.Fixtures;

/// <summary>Where golden values are: <c>COGRPO_FIXTURES</c> when set, else <c>tests/fixtures</c> of the repository the tests were built in.</summary>
internal static class FixtureFolder
{
    private static readonly string Own = Find();

    private static readonly string? Named = Environment.GetEnvironmentVariable("COGRPO_FIXTURES") is { Length: > 0 } named ? named : null;

    /// <summary>A path below the root; what the named root does not have is looked up in the repository's own.</summary>
    public static string At(params string[] parts) =>
        Named is not null && Path.Combine([Named, .. parts]) is var path && (File.Exists(path) || Directory.Exists(path))
            ? path
            : Path.Combine([Own, .. parts]);

    /// <summary>The parsed JSON file at a path below the root.</summary>
    public static JsonElement Json(params string[] parts) => JsonDocument.Parse(File.ReadAllBytes(At(parts))).RootElement;

    private static string Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder != null; folder = folder.Parent)
        {
            string candidate = Path.Combine(folder.FullName, "tests", "fixtures");
            if (Directory.Exists(candidate))
            {
                return candidate;
            }
        }

        throw new DirectoryNotFoundException("tests/fixtures: not above the test assembly; run the tests from the repository they were built in");
    }
}
