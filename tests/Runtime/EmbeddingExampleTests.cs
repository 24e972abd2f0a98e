using System.Diagnostics;

namespace CoGrpo.Tests.Runtime;

/// <summary>The documented example of the sampling loop on its own: it runs, draws the same picture every time, and is shown as it is.</summary>
public sealed class EmbeddingExampleTests
{
    [Fact]
    public void It_prints_the_same_full_picture_every_time()
    {
        string first = Run();
        string[] lines = first.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(12, lines.Length);
        Assert.All(lines, line => Assert.Equal(48, line.TrimEnd('\r').Length));
        Assert.Equal("./\\", string.Concat(first.Where(c => c is not ('\n' or '\r')).Distinct().Order()));
        Assert.Equal(first, Run());
    }

    private static string Run()
    {
        var start = new ProcessStartInfo(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
            [Path.Combine(AppContext.BaseDirectory, "MaskedSampling.dll")]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, error.Result);
        return text;
    }
}
