using CoGrpo.CudaEmulator;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Bench.Kernels;

/// <summary>
/// Published figures of a GPU, and the shortest time they leave a kernel of known traffic and instructions: every unit works at its peak, all at once,
/// nothing waits. A model; what a kernel needs beyond it only the device can tell.
/// </summary>
/// <param name="Name">Product.</param>
/// <param name="Architecture">Compute capability.</param>
/// <param name="Multiprocessors">Number of multiprocessors.</param>
/// <param name="Clock">Core clock in Hz.</param>
/// <param name="Bandwidth">Device memory, bytes per second.</param>
/// <param name="TensorRate">Dense bf16 products with fp32 sums, operations per second.</param>
/// <param name="FloatWarps">Warp instructions of fp32 arithmetic per clock and multiprocessor.</param>
/// <param name="DoubleWarps">The same of fp64.</param>
/// <param name="SharedPerMultiprocessor">Bytes of shared memory of a multiprocessor.</param>
/// <param name="ThreadsPerMultiprocessor">Most threads of a multiprocessor.</param>
/// <param name="BlocksPerMultiprocessor">Most blocks of a multiprocessor.</param>
internal sealed record DeviceModel(string Name, CudaArchitecture Architecture, int Multiprocessors, double Clock, double Bandwidth, double TensorRate, double FloatWarps, double DoubleWarps,
    int SharedPerMultiprocessor, int ThreadsPerMultiprocessor, int BlocksPerMultiprocessor)
{
    private const int RegistersPerMultiprocessor = 65536;

    /// <summary>Warp instructions issued per clock and multiprocessor.</summary>
    private const double IssuedWarps = 4;

    /// <summary>Warp instructions of the special-function units per clock and multiprocessor.</summary>
    private const double SpecialWarps = 0.5;

    /// <summary>The three that tables show, from the vendor's data sheets (A100 40 GB SXM, H100 SXM, GeForce RTX 4090).</summary>
    public static IReadOnlyList<DeviceModel> All { get; } =
    [
        new("A100", new CudaArchitecture(8, 0), 108, 1.410e9, 1.555e12, 312e12, 2, 1, 164 << 10, 2048, 32),
        new("H100", new CudaArchitecture(9, 0), 132, 1.830e9, 3.352e12, 989e12, 4, 2, 228 << 10, 2048, 32),
        new("RTX 4090", new CudaArchitecture(8, 9), 128, 2.520e9, 1.008e12, 165e12, 4, 1.0 / 16, 100 << 10, 1536, 24),
    ];

    /// <summary>The shortest time in seconds, and the unit that takes it.</summary>
    public (double Seconds, string Unit) Bound(KernelProfile kernel)
    {
        double perClock = Multiprocessors * Clock;
        (double, string)[] bounds =
        [
            (kernel.MemoryBytes / Bandwidth, "memory"),
            (kernel.TensorOperations / TensorRate, "tensor cores"),
            (kernel.WarpInstructions / (IssuedWarps * perClock), "issue"),
            (kernel.Count(InstructionClass.Float32) / (FloatWarps * perClock), "fp32"),
            (kernel.Count(InstructionClass.Float64) / (DoubleWarps * perClock), "fp64"),
            (kernel.Count(InstructionClass.Special) / (SpecialWarps * perClock), "special functions"),
            (kernel.SharedPasses / perClock, "shared memory"),
        ];
        return bounds.MaxBy(bound => bound.Item1);
    }

    /// <summary>Share of the multiprocessor's warps that can be resident at once, and what limits it.</summary>
    public (double Share, string Limit) Occupancy(KernelProfile kernel)
    {
        int warps = (kernel.Threads + 31) / 32;
        int perWarp = ((kernel.Registers * 32) + 255) / 256 * 256;
        int byRegisters = RegistersPerMultiprocessor / Math.Max(perWarp, 256) / 4 * 4 / warps;

        // One KiB of every block belongs to the system.
        int byShared = SharedPerMultiprocessor / Math.Max(1, ((kernel.SharedBytes + 127) / 128 * 128) + 1024);
        int byThreads = ThreadsPerMultiprocessor / (warps * 32);
        (int Blocks, string Limit) least = new[] { (byThreads, "threads"), (byRegisters, "registers"), (byShared, "shared memory"), (BlocksPerMultiprocessor, "blocks") }.MinBy(limit => limit.Item1);
        return ((double)least.Blocks * warps * 32 / ThreadsPerMultiprocessor, least.Limit);
    }
}
