using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using CoGrpo.Rl.Logging;
using CoGrpo.Rl.Serving;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Backends.Cuda;
using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Diagnostics;

namespace CoGrpo.Cli.Commands;

/// <summary>
/// <c>doctor</c>: what this machine offers, what is missing for what, and whether the kernels compute on its GPU what the CPU computes.
/// </summary>
internal sealed class DoctorCommand : Command
{
    private readonly CliContext _context;
    private readonly Option<int> _imageTokens = new("--image-tokens")
    {
        Description = "Rows of an image in the comparison of a GPU with the CPU.",
        HelpName = "N",
        DefaultValueFactory = _ => OperationCases.PublishedImageTokens,
    };

    private readonly Option<string> _filter = new("--filter")
    {
        Description = "Compare only operations whose name contains TEXT.",
        HelpName = "TEXT",
        DefaultValueFactory = _ => "",
    };

    /// <summary>The command.</summary>
    public DoctorCommand(CliContext context)
        : base(
            "doctor",
            "Show what this machine offers: processor, measured peak, memory, disk, GPU libraries; with a GPU compare every operation with the CPU."
        )
    {
        _context = context;
        Add(_imageTokens);
        Add(_filter);
        SetAction((parsed, cancellation) => Task.FromResult(Run(parsed, cancellation)));
    }

    private int Run(ParseResult parsed, CancellationToken cancellation)
    {
        int imageTokens = parsed.GetValue(_imageTokens);
        if (imageTokens is < 4 or > 16384 || imageTokens % 4 != 0)
        {
            throw new CommandException($"--image-tokens: expected a multiple of 4 from 4 to 16384, found {imageTokens}; the published model has {OperationCases.PublishedImageTokens}", ExitCode.Usage);
        }

        IReadOnlyList<OperationCase> cases =
        [
            .. OperationCases.Of(imageTokens).Where(c => c.Operation.Contains(parsed.GetValue(_filter)!, StringComparison.OrdinalIgnoreCase)),
        ];
        if (cases.Count == 0)
        {
            throw new CommandException(
                $"--filter: expected a part of the name of an operation, found '{parsed.GetValue(_filter)}'; without it all are compared",
                ExitCode.Usage
            );
        }

        Line("system", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}");
        Line(".NET", RuntimeInformation.FrameworkDescription);
        Line("cores", Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture));
        string widths = string.Join(
            ", ",
            new[] { (Vector128.IsHardwareAccelerated, "128"), (Vector256.IsHardwareAccelerated, "256"), (Vector512.IsHardwareAccelerated, "512") }
                .Where(width => width.Item1)
                .Select(width => width.Item2)
        );
        Line("vectors", widths.Length == 0 ? "none accelerated: everything will be slow" : $"{widths} bits");
        double one = FmaPeak.Measure(1, TimeSpan.FromMilliseconds(300));
        double all = FmaPeak.Measure(Environment.ProcessorCount, TimeSpan.FromMilliseconds(300));
        Line("peak", string.Create(CultureInfo.InvariantCulture, $"{one:0} GFLOP/s fp32 on one core, {all:0} on all (measured)"));
        // The runtime measures the machine's memory load when it collects.
        GC.Collect(0);
        GCMemoryInfo memory = GC.GetGCMemoryInfo();
        Line("memory", $"{ByteText.Of(memory.TotalAvailableMemoryBytes)} usable, {ByteText.Of(Math.Max(0, memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes))} free");
        Disk();
        IReadOnlyList<CudaDevice> devices = Gpu();
        if (parsed.GetValue(DeviceOption.Device) == "cpu")
        {
            return ExitCode.Success;
        }

        bool sound = true;
        foreach (CudaDevice device in devices)
        {
            bool half = device.Architecture.HasBFloat16 && parsed.GetValue(DeviceOption.Precision) != "fp32";
            sound &= Compare(
                device,
                half ? ElementType.BFloat16 : ElementType.Float32,
                parsed.GetValue(DeviceOption.Gemm) == "cublas" ? GemmName.Cublas : GemmName.Own,
                cases,
                cancellation
            );
        }

        return sound ? ExitCode.Success : ExitCode.Failure;
    }

    private bool Compare(CudaDevice device, ElementType storage, GemmName gemm, IReadOnlyList<OperationCase> cases, CancellationToken cancellation)
    {
        List<IReadOnlyList<string>> rows = [];
        int faults = 0;
        IProgressReporter progress = _context.CreateProgress();
        try
        {
            using CudaBackend backend = new(
                device,
                new CudaBackendOptions
                {
                    Storage = storage,
                    Gemm = gemm,
                    CheckEveryLaunch = true,
                },
                _context.KernelCompiler()
            );
            using CpuBackend reference = new();
            progress.Begin("compare", cases.Count);
            foreach (OperationCase @case in cases)
            {
                cancellation.ThrowIfCancellationRequested();
                OperationComparison result = OperationComparison.Of(@case, backend, reference);
                faults += result.Agrees ? 0 : 1;
                rows.Add(Row(result));
                progress.Report(rows.Count, @case.Operation);
            }
        }
        finally
        {
            progress.End();
        }

        string name = storage == ElementType.BFloat16 ? "bf16" : "fp32";
        _context.Out.WriteLine();
        _context.Out.WriteLine(
            $"GPU {device.Ordinal} against the CPU, {name}{(device.Driver.IsStandIn ? ", on a device that stands in for a GPU: no times" : "")}"
        );
        TableOutput.Write(
            _context.Out,
            new ResultTable(["operation", "size", "output", "verdict", "error", "allowed", "ms", "GB/s", "TFLOP/s"], rows, 4)
        );
        _context.Out.WriteLine(
            faults == 0
                ? $"all {rows.Count} agree"
                : $"{faults} of {rows.Count} differ; do not train on this device: update the driver, and report this table if that does not help"
        );
        return faults == 0;
    }

    private static string[] Row(OperationComparison result)
    {
        static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
        string[] times = result.Seconds is { } seconds
            ?
            [
                Number(seconds * 1e3, "0.000"),
                Number(result.Cost.Bytes / seconds / 1e9, "0"),
                Number(result.Cost.Operations / seconds / 1e12, "0.00"),
            ]
            : ["-", "-", "-"];
        return
        [
            result.Case.Operation,
            result.Case.Size,
            result.Output,
            result.Agrees ? "agrees" : "differs",
            Number(result.Error, "0.0e0"),
            Number(result.Allowed, "0.0e0"),
            .. times,
        ];
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

    private IReadOnlyList<CudaDevice> Gpu()
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

        return survey.Devices;
    }

    private void Library(NativeLibrarySearch library, string remedy, string? version) =>
        Line(library.Title, library.Summary + (library.Found is null ? $"; {remedy}" : version is null ? "" : $", {version}"));

    private void Line(string title, string text) => _context.Out.WriteLine($"{title + ":",-24} {text}");
}
