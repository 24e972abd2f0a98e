using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Diagnostics;

namespace CoGrpo.Cli.Commands;

/// <summary><c>doctor</c>: what this machine offers, and what is missing for what.</summary>
internal sealed class DoctorCommand : Command
{
    private readonly CliContext _context;

    /// <summary>The command.</summary>
    public DoctorCommand(CliContext context)
        : base("doctor", "Show what this machine offers: processor, measured peak, memory, disk, GPU libraries.")
    {
        _context = context;
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        Line("system", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}");
        Line(".NET", RuntimeInformation.FrameworkDescription);
        Line("cores", Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture));
        string widths = string.Join(", ", new[] { (Vector128.IsHardwareAccelerated, "128"), (Vector256.IsHardwareAccelerated, "256"), (Vector512.IsHardwareAccelerated, "512") }
            .Where(width => width.Item1).Select(width => width.Item2));
        Line("vectors", widths.Length == 0 ? "none accelerated: everything will be slow" : $"{widths} bits");
        double one = FmaPeak.Measure(1, TimeSpan.FromMilliseconds(300));
        double all = FmaPeak.Measure(Environment.ProcessorCount, TimeSpan.FromMilliseconds(300));
        Line("peak", string.Create(CultureInfo.InvariantCulture, $"{one:0} GFLOP/s fp32 on one core, {all:0} on all (measured)"));
        // The runtime measures the machine's memory load when it collects.
        GC.Collect(0);
        GCMemoryInfo memory = GC.GetGCMemoryInfo();
        Line("memory", $"{ByteText.Of(memory.TotalAvailableMemoryBytes)} usable, {ByteText.Of(Math.Max(0, memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes))} free");
        Disk();
        Gpu();
        return ExitCode.Success;
    }

    private void Disk()
    {
        string folder = Directory.GetCurrentDirectory();
        try
        {
            DriveInfo drive = new(folder);
            Line("disk", $"{ByteText.Of(drive.AvailableFreeSpace)} free in {folder}");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            Line("disk", $"free space of {folder} is unknown: {error.Message}");
        }
    }

    private void Gpu()
    {
        CudaSurvey survey = CudaSurvey.OfMachine(_context.CudaDriver);
        Library(survey.Driver, "install the NVIDIA driver", null);
        Library(survey.Nvrtc, "install it (Debian: libnvrtc12), or build the kernels elsewhere with «kernels build»", survey.NvrtcVersion);
        Library(survey.CublasLt, "optional, for --gemm cublas: install cuBLAS (Debian: libcublaslt12)", null);
        if (survey.DriverProblem is { } problem)
        {
            Line("GPU", $"none usable: {problem}");
        }

        foreach (CudaDevice device in survey.Devices)
        {
            Line($"GPU {device.Ordinal}", device.ToString());
        }
    }

    private void Library(NativeLibrarySearch library, string remedy, string? version) =>
        Line(library.Title, library.Summary + (library.Found is null ? $"; {remedy}" : version is null ? "" : $", {version}"));

    private void Line(string title, string text) => _context.Out.WriteLine($"{title + ":",-24} {text}");
}
