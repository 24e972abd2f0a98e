using System.Globalization;
using CoGrpo.CudaEmulator;
using CoGrpo.Rl.Serving;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends.Cuda;
using CoGrpo.Runtime.Backends.Plan;
using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;
using CoGrpo.Runtime.Diagnostics;

namespace CoGrpo.Bench.Kernels;

/// <summary>
/// Every operation on the emulated device: what its kernels move and execute beside the floor, and the time that implies for GPUs by their data
/// sheets.
/// </summary>
internal static class EmulatedKernels
{
    /// <summary>A row per kernel of the cases that <paramref name="cases"/> holds.</summary>
    public static ResultTable Profile(
        IReadOnlyList<OperationCase> cases,
        ElementType storage,
        KernelCompiler compiler,
        Action<OperationCase> progress
    )
    {
        CudaArchitecture architecture = storage == ElementType.BFloat16 ? new CudaArchitecture(8, 0) : new CudaArchitecture(7, 5);
        Dictionary<string, int> registers = Registers(compiler, architecture);
        List<IReadOnlyList<string>> rows = [];
        foreach (OperationCase @case in cases)
        {
            progress(@case);
            OperationCost floor = OperationComparison.CostOf(@case, storage);
            foreach (KernelProfile kernel in Run(@case, storage, architecture, compiler, registers))
            {
                rows.Add(Row(@case, floor, kernel));
            }
        }

        return new ResultTable(
            [
                "kernel",
                "operation",
                "limit",
                "floor MB",
                "sectors / floor",
                "memory / floor",
                "Mop",
                "mix %",
                "conflicts",
                "registers",
                "shared KiB",
                "occupancy %",
                .. DeviceModel.All.Select(device => $"{device.Name} µs (model)"),
            ],
            rows,
            3
        );
    }

    private static List<KernelProfile> Run(
        OperationCase @case,
        ElementType storage,
        CudaArchitecture architecture,
        KernelCompiler compiler,
        Dictionary<string, int> registers
    )
    {
        // Checks are the tests' matter.
        using IDisposable options = EmulatedMachine.Configure(new EmulatorOptions { Checks = EmulatorCheck.None, CountUniqueSectors = true });
        using CudaBackend backend = new(
            new CudaDevice(EmulatedMachine.Driver, EmulatedMachine.OrdinalOf(architecture)),
            new CudaBackendOptions { Storage = storage },
            compiler
        );
        using Arena arena = backend.CreateArena("bench", 1 << 24);
        PreparedCase prepared = @case.Prepare(backend, arena, storage);
        using LaunchRecording recording = EmulatedMachine.CurrentContext.Record();
        int before = recording.Launches.Count;
        prepared.Run();
        return
        [
            .. recording
                .Launches.Skip(before)
                .GroupBy(launch => launch.Kernel)
                .Select(launches => new KernelProfile([.. launches], registers[launches.Key])),
        ];
    }

    private static string[] Row(OperationCase @case, OperationCost floor, KernelProfile kernel)
    {
        static string Number(double value, string format = "0.00") => value.ToString(format, CultureInfo.InvariantCulture);
        DeviceModel first = DeviceModel.All[0];
        (double occupancy, string limit) = first.Occupancy(kernel);
        return
        [
            kernel.Name,
            @case.ToString(),
            DeviceModel.All[0].Bound(kernel).Unit,
            Number(floor.Bytes / 1e6, "0.000"),
            Number(kernel.MovedBytes / floor.Bytes),
            Number(kernel.MemoryBytes / floor.Bytes),
            Number(floor.Operations / 1e6, "0.0"),
            kernel.Mix,
            kernel.BankConflicts.ToString(CultureInfo.InvariantCulture),
            kernel.Registers.ToString(CultureInfo.InvariantCulture),
            Number(kernel.SharedBytes / 1024.0, "0.0"),
            $"{Number(100 * occupancy, "0")} ({limit})",
            .. DeviceModel.All.Select(device => Number(1e6 * device.Bound(kernel).Seconds)),
        ];
    }

    private static Dictionary<string, int> Registers(KernelCompiler compiler, CudaArchitecture architecture) => KernelSources.Stems
        .Select(stem => compiler.Get(stem, architecture))
        .SelectMany(compiled => new NvrtcOutput(compiled.Stem, compiled.Architecture, compiled.Ptx, compiled.Cubin, compiled.Log).Resources())
        .ToDictionary(kernel => kernel.Kernel, kernel => kernel.Registers, StringComparer.Ordinal);
}
