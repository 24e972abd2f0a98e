using System.Text.Json;

namespace CoGrpo.Tests.Cli;

/// <summary>A small folder in the form of the HPDv2 benchmark.</summary>
internal static class HpdFolder
{
    /// <summary>Writes so many prompts of each style; returns the folder.</summary>
    public static string Write(string folder, int prompts)
    {
        Directory.CreateDirectory(folder);
        foreach (string style in (string[])["anime", "concept-art", "paintings", "photo"])
        {
            File.WriteAllText(
                Path.Combine(folder, style + ".json"),
                JsonSerializer.Serialize(Enumerable.Range(0, prompts).Select(i => $"{style} number {i}"))
            );
        }

        File.WriteAllText(Path.Combine(folder, "drawbench.json"), "[]");
        return folder;
    }
}
