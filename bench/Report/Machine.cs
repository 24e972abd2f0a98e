using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using CoGrpo.Bench.Reference;
using CoGrpo.Runtime.Diagnostics;

namespace CoGrpo.Bench.Report;

/// <summary>The machine at the start of the run: what it is, what it could do at best, and whether it was doing something else.</summary>
public sealed class Machine
{
    private const double BusyShare = 0.25;

    private Machine()
    {
        Cores = Environment.ProcessorCount;
        Processor = ProcessorName();
        Load = LoadAverage();
        PeakOne = FmaPeak.Measure(1, TimeSpan.FromMilliseconds(600));
        PeakAll = Cores == 1 ? PeakOne : FmaPeak.Measure(Cores, TimeSpan.FromMilliseconds(600));
    }

    /// <summary>Measured at the first use, so before any benchmark.</summary>
    public static Machine Current { get; } = new();

    public int Cores { get; }

    public string Processor { get; }

    /// <summary>Mean number of runnable processes over the last minute, or NaN where the system does not tell.</summary>
    public double Load { get; }

    /// <summary>GFLOP/s of fused multiply-adds on one thread.</summary>
    public double PeakOne { get; }

    /// <summary>GFLOP/s of fused multiply-adds on all threads.</summary>
    public double PeakAll { get; }

    /// <summary>Null, or why the numbers of this run are not to be trusted.</summary>
    public string? Warning => Load > BusyShare * Cores
        ? string.Create(CultureInfo.InvariantCulture, $"WARNING: the machine was busy (load average {Load:0.0} on {Cores} cores before the run); times are too long and the peak too low. Repeat on an idle machine.")
        : null;

    public double Peak(int threads) => threads <= 1 ? PeakOne : PeakAll;

    public IEnumerable<string> Lines()
    {
        string widths = string.Join(
            ", ",
            new[] { (Vector128.IsHardwareAccelerated, "128"), (Vector256.IsHardwareAccelerated, "256"), (Vector512.IsHardwareAccelerated, "512") }
                .Where(width => width.Item1)
                .Select(width => width.Item2)
        );
        yield return $"processor: {Processor}, {Cores} logical cores, vectors of {widths} bits";
        yield return $"system: {RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}, {RuntimeInformation.FrameworkDescription}";
        yield return string.Create(CultureInfo.InvariantCulture, $"measured FMA peak: {PeakOne:0} GFLOP/s on one thread, {PeakAll:0} on all");
        yield return double.IsNaN(Load)
            ? "load average at start: unknown"
            : string.Create(CultureInfo.InvariantCulture, $"load average at start: {Load:0.00}");
        yield return OpenBlasLibrary.Shared is { } library
            ? $"OpenBLAS: {library.Description}"
            : "OpenBLAS: not installed (libopenblas.so.0 was not found), comparison skipped; on Debian: apt-get install libopenblas0";
        foreach (
            string name in new[]
            {
                "OPENBLAS_CORETYPE",
                "OPENBLAS_NUM_THREADS",
                "OMP_NUM_THREADS",
                "DOTNET_EnableAVX512F",
                "DOTNET_EnableAVX512",
                "DOTNET_TieredPGO",
            }
        )
        {
            if (Environment.GetEnvironmentVariable(name) is { Length: > 0 } value)
            {
                yield return $"environment: {name}={value}";
            }
        }
    }

    private static double LoadAverage()
    {
        try
        {
            return double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or FormatException)
        {
            return double.NaN;
        }
    }

    private static string ProcessorName()
    {
        try
        {
            string? line = File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal));
            if (line is not null)
            {
                return line[(line.IndexOf(':') + 1)..].Trim();
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Not Linux, or a closed /proc: fall through to what the environment says.
        }

        return Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") ?? $"unknown {RuntimeInformation.ProcessArchitecture} processor";
    }
}
