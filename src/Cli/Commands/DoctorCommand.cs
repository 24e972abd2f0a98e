using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using CoGrpo.Cli.Diagnostics;
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
        DeviceOption.Require(parsed);
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
        IReadOnlyList<NativeLibraryProbe> libraries = GpuProbe.All();
        foreach (NativeLibraryProbe library in libraries)
        {
            Line(library.Title, library.Summary + (library.Found is null ? $"; {library.Remedy}" : ""));
        }

        (int count, string detail) = GpuProbe.Devices(libraries[0]);
        Line("GPU", count == 0 ? $"none usable ({detail}); everything runs on the CPU" : $"{count} ({detail}); this version computes on the CPU all the same, the CUDA backend comes with a later one");
    }

    private void Line(string title, string text) => _context.Out.WriteLine($"{title + ":",-24} {text}");
}
