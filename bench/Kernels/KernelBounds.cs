using CoGrpo.CudaEmulator;
using CoGrpo.Runtime.Diagnostics;

namespace CoGrpo.Bench.Kernels;

/// <summary>What the figures of a GPU leave a kernel whose traffic and instructions the emulated device counted.</summary>
internal static class KernelBounds
{
    private const int RegistersPerMultiprocessor = 65536;

    /// <summary>Warp instructions issued per clock and multiprocessor.</summary>
    private const double IssuedWarps = 4;

    /// <summary>Warp instructions of the special-function units per clock and multiprocessor.</summary>
    private const double SpecialWarps = 0.5;

    /// <summary>The shortest time in seconds, and the unit that takes it.</summary>
    public static (double Seconds, string Unit) Bound(this DeviceModel device, KernelProfile kernel)
    {
        double perClock = device.Multiprocessors * device.Clock;
        (double, string)[] bounds =
        [
            (kernel.MemoryBytes / device.Bandwidth, "memory"),
            (kernel.TensorOperations / device.TensorRate, "tensor cores"),
            (kernel.WarpInstructions / (IssuedWarps * perClock), "issue"),
            (kernel.Count(InstructionClass.Float32) / (device.FloatWarps * perClock), "fp32"),
            (kernel.Count(InstructionClass.Float64) / (device.DoubleWarps * perClock), "fp64"),
            (kernel.Count(InstructionClass.Special) / (SpecialWarps * perClock), "special functions"),
            (kernel.SharedPasses / perClock, "shared memory"),
        ];
        return bounds.MaxBy(bound => bound.Item1);
    }

    /// <summary>Share of the multiprocessor's warps that can be resident at once, and what limits it.</summary>
    public static (double Share, string Limit) Occupancy(this DeviceModel device, KernelProfile kernel)
    {
        int warps = (kernel.Threads + 31) / 32;
        int perWarp = ((kernel.Registers * 32) + 255) / 256 * 256;
        int byRegisters = RegistersPerMultiprocessor / Math.Max(perWarp, 256) / 4 * 4 / warps;

        // One KiB of every block belongs to the system.
        int byShared = device.SharedPerMultiprocessor / Math.Max(1, ((kernel.SharedBytes + 127) / 128 * 128) + 1024);
        int byThreads = device.ThreadsPerMultiprocessor / (warps * 32);
        (int Blocks, string Limit) least = new[]
        {
            (byThreads, "threads"),
            (byRegisters, "registers"),
            (byShared, "shared memory"),
            (device.BlocksPerMultiprocessor, "blocks"),
        }.MinBy(limit => limit.Item1);
        return ((double)least.Blocks * warps * 32 / device.ThreadsPerMultiprocessor, least.Limit);
    }
}
