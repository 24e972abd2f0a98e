using System.Text.Json;

namespace CoGrpo.Tests.Fixtures;

/// <summary>Where golden values are: <c>COGRPO_FIXTURES</c> when set, else <c>tests/fixtures</c> of the repository the tests were built in.</summary>
internal static class FixtureFolder
{
    /// <summary>The root folder.</summary>
    public static string Root { get; } = Find();

    /// <summary>A path below the root.</summary>
    public static string At(params string[] parts) => Path.Combine([Root, .. parts]);

    /// <summary>The parsed JSON file at a path below the root.</summary>
    public static JsonElement Json(params string[] parts) => JsonDocument.Parse(File.ReadAllBytes(At(parts))).RootElement;

    private static string Find()
    {
        if (Environment.GetEnvironmentVariable("COGRPO_FIXTURES") is { Length: > 0 } named)
        {
            return named;
        }

        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder != null; folder = folder.Parent)
        {
            string candidate = Path.Combine(folder.FullName, "tests", "fixtures");
            if (Directory.Exists(candidate))
            {
                return candidate;
            }
        }

        throw new DirectoryNotFoundException("tests/fixtures: not above the test assembly; set COGRPO_FIXTURES to the folder of golden values");
    }
}
