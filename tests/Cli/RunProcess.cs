using System.Diagnostics;
using System.Text.Json;

namespace CoGrpo.Tests.Cli;

/// <summary>Training runs in processes of their own, which a test can kill.</summary>
internal static class RunProcess
{
    /// <summary>
    /// Runs to the end in <c>whole</c>, is killed and resumed in <c>killed</c>: models, metrics and rewards must be the same to the bit.
    /// </summary>
    public static void KilledAndResumed(string root, string[] arguments, int linesBeforeKill)
    {
        string whole = Path.Combine(root, "whole");
        string killed = Path.Combine(root, "killed");
        (int code, string error) = Run(arguments, whole, resume: false);
        Assert.True(code == 0, error);
        using (Process process = Start(arguments, killed))
        {
            WaitForLines(process, Path.Combine(killed, "metrics.jsonl"), linesBeforeKill);
            process.Kill();
            process.WaitForExit();
        }

        (code, error) = Run(arguments, killed, resume: true);
        Assert.True(code == 0, error);
        string[] files = Directory.GetFiles(Path.Combine(whole, "model"), "*", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        foreach (string file in files)
        {
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(file.Replace(whole, killed, StringComparison.Ordinal)));
        }

        Assert.Equal(Metrics(whole), Metrics(killed));
    }

    /// <summary>Every metric of every line but those that measure this machine.</summary>
    public static List<string> Metrics(string folder) =>
        [
            .. File.ReadLines(Path.Combine(folder, "metrics.jsonl"))
                .Select(line =>
                {
                    using JsonDocument json = JsonDocument.Parse(line);
                    return string.Join(
                        ' ',
                        json.RootElement.EnumerateObject()
                            .Where(p =>
                                !p.Name.StartsWith("time/", StringComparison.Ordinal) && !p.Name.StartsWith("memory/", StringComparison.Ordinal)
                            )
                            .Select(p => p.ToString())
                    );
                }),
        ];

    /// <summary>Waits until the file has so many lines.</summary>
    public static void WaitForLines(Process process, string file, int lines)
    {
        var limit = Stopwatch.StartNew();
        while (!File.Exists(file) || CountLines(file) < lines)
        {
            Assert.False(
                process.HasExited,
                "the run ended before it could be stopped: " + (process.HasExited ? process.StandardError.ReadToEnd() : "")
            );
            Assert.True(limit.Elapsed < TimeSpan.FromMinutes(3), "the run wrote no metrics");
            Thread.Sleep(2);
        }
    }

    private static int CountLines(string file)
    {
        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd().Count(c => c == '\n');
    }

    /// <summary>Runs to the end.</summary>
    public static (int Code, string Error) Run(string[] arguments, string folder, bool resume)
    {
        using Process process = Start(resume ? [.. arguments, "--resume"] : arguments, folder);
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (
            process.ExitCode,
            process.ExitCode == 0 ? error : string.Join('\n', error.Split('\n').Where(l => l.Contains("error:", StringComparison.Ordinal)))
        );
    }

    /// <summary>Starts the program.</summary>
    public static Process Start(string[] arguments, string folder)
    {
        // A test runner in the background of a shell ignores SIGINT, and its children would inherit that.
        var start = new ProcessStartInfo(
            "env",
            ["--default-signal=INT", "dotnet", Path.Combine(AppContext.BaseDirectory, "cogrpo-native.dll"), .. arguments, "--output", folder]
        )
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        Process process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        return process;
    }
}
