using System.CommandLine;
using CoGrpo.Rl.Serving;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends.Cuda;
using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;
using CoGrpo.Runtime.Diagnostics;

namespace CoGrpo.Bench.Kernels;

/// <summary>The command line of the kernels' benchmark: <c>--device emulated</c> counts, <c>--device cuda</c> times.</summary>
internal static class KernelBench
{
    /// <summary>Runs it; the exit code.</summary>
    public static int Run(string[] args)
    {
        Option<string> device = new("--device")
        {
            Required = true,
            Description = "emulated: counts on the emulated device, times by a model. cuda: times on the GPU.",
        };
        device.AcceptOnlyFromAmong("emulated", "cuda");
        Option<string> precision = new("--precision") { DefaultValueFactory = _ => "bf16", Description = "Storage: bf16 or fp32." };
        precision.AcceptOnlyFromAmong("bf16", "fp32");
        Option<int?> imageTokens = new("--image-tokens")
        {
            HelpName = "N",
            Description = "Rows of an image; 1024 on a GPU, 64 on the emulated device.",
        };
        Option<string> filter = new("--filter")
        {
            DefaultValueFactory = _ => "",
            HelpName = "TEXT",
            Description = "Only operations whose name or size contains TEXT.",
        };
        Option<bool> markdown = new("--markdown") { Description = "Print a table of Markdown." };
        RootCommand root = new("Benchmarks of the CUDA kernels.") { device, precision, imageTokens, filter, markdown };
        root.SetAction(parsed =>
        {
            bool emulated = parsed.GetValue(device) == "emulated";
            ElementType storage = parsed.GetValue(precision) == "bf16" ? ElementType.BFloat16 : ElementType.Float32;
            IReadOnlyList<OperationCase> cases =
            [
                .. OperationCases
                    .Of(parsed.GetValue(imageTokens) ?? (emulated ? 64 : OperationCases.PublishedImageTokens))
                    .Where(c => c.ToString().Contains(parsed.GetValue(filter)!, StringComparison.OrdinalIgnoreCase)),
            ];
            try
            {
                ResultTable table = emulated ? Emulated(cases, storage) : Gpu(cases, storage);
                Console.WriteLine(parsed.GetValue(markdown) ? table.ToMarkdown() : table.ToPlainText());
                return 0;
            }
            catch (CudaException error)
            {
                Console.Error.WriteLine($"error: {error.Message}");
                return 1;
            }
        });
        return root.Parse(args).Invoke();
    }

    private static ResultTable Emulated(IReadOnlyList<OperationCase> cases, ElementType storage)
    {
        ResultTable table = EmulatedKernels.Profile(cases, storage, KernelCompiler.Default(), Progress);
        Console.WriteLine("Counts are those of the emulated device (sectors without caches; «memory»: different sectors of a launch). Times are a model of data-sheet peaks, not measurements.");
        return table;
    }

    private static ResultTable Gpu(IReadOnlyList<OperationCase> cases, ElementType storage)
    {
        using CudaBackend backend = new(new CudaDevice(CudaDriver.Load()), new CudaBackendOptions { Storage = storage });
        Console.WriteLine(backend.Device);
        return GpuKernels.Time(cases, backend, Progress);
    }

    private static void Progress(OperationCase @case) => Console.Error.WriteLine(@case);
}
