using System.Globalization;
using CoGrpo.Rl.Serving;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends.Cuda;
using CoGrpo.Runtime.Backends.Plan;
using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Diagnostics;

namespace CoGrpo.Bench.Kernels;

/// <summary>Every operation timed on a GPU by events on its stream.</summary>
internal static class GpuKernels
{
    private const int WarmUp = 3;
    private const int Repetitions = 50;

    /// <summary>A row per case: median and quartiles of the time of one call, achieved bandwidth and rate, share of the device's bandwidth.</summary>
    public static ResultTable Time(IReadOnlyList<OperationCase> cases, CudaBackend backend, Action<OperationCase> progress)
    {
        List<IReadOnlyList<string>> rows = [];
        double bandwidth =
            2.0
            * backend.Device.Attribute(CudaDeviceAttribute.MemoryClockRate)
            * 1e3
            * backend.Device.Attribute(CudaDeviceAttribute.GlobalMemoryBusWidth)
            / 8;
        foreach (OperationCase @case in cases)
        {
            progress(@case);
            OperationCost floor = OperationComparison.CostOf(@case, backend.Storage);
            using Arena arena = backend.CreateArena("bench", 1 << 24);
            PreparedCase prepared = @case.Prepare(backend, arena, backend.Storage);
            double[] times = [.. Enumerable.Range(0, WarmUp + Repetitions).Select(_ => backend.Time(prepared.Run)).Skip(WarmUp).Order()];
            double median = times[Repetitions / 2];
            static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
            rows.Add([
                @case.ToString(),
                Number(1e6 * median, "0.0"),
                Number(1e6 * times[Repetitions / 4], "0.0"),
                Number(1e6 * times[3 * Repetitions / 4], "0.0"),
                Number(floor.Bytes / median / 1e9, "0"),
                Number(100 * floor.Bytes / median / bandwidth, "0"),
                Number(floor.Operations / median / 1e12, "0.00"),
            ]);
        }

        return new ResultTable(["operation", "µs", "lower quartile", "upper quartile", "GB/s", "% of memory", "TFLOP/s"], rows, 1);
    }
}
