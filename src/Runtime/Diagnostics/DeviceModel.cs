using CoGrpo.Runtime.Backends.Plan;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Runtime.Diagnostics;

/// <summary>
/// Published figures of a GPU, and the shortest time they leave work of known operations and bytes: every unit works at its peak, all at once,
/// nothing waits. A model; what more is needed only the device can tell.
/// </summary>
/// <param name="Key">Name in options.</param>
/// <param name="Name">Product.</param>
/// <param name="Architecture">Compute capability.</param>
/// <param name="MemoryBytes">Device memory as it is sold, GB of 10^9 bytes.</param>
/// <param name="Multiprocessors">Number of multiprocessors.</param>
/// <param name="Clock">Core clock in Hz.</param>
/// <param name="Bandwidth">Device memory, bytes per second.</param>
/// <param name="TensorRate">Dense bf16 products with fp32 sums, operations per second.</param>
/// <param name="FloatWarps">Warp instructions of fp32 arithmetic per clock and multiprocessor.</param>
/// <param name="DoubleWarps">The same of fp64.</param>
/// <param name="SharedPerMultiprocessor">Bytes of shared memory of a multiprocessor.</param>
/// <param name="ThreadsPerMultiprocessor">Most threads of a multiprocessor.</param>
/// <param name="BlocksPerMultiprocessor">Most blocks of a multiprocessor.</param>
public sealed record DeviceModel(
    string Key,
    string Name,
    CudaArchitecture Architecture,
    long MemoryBytes,
    int Multiprocessors,
    double Clock,
    double Bandwidth,
    double TensorRate,
    double FloatWarps,
    double DoubleWarps,
    int SharedPerMultiprocessor,
    int ThreadsPerMultiprocessor,
    int BlocksPerMultiprocessor
)
{
    private const long Gigabyte = 1_000_000_000;
    private const int OperationsPerWarpInstruction = 32 * 2;

    /// <summary>From the vendor's data sheets: A100 SXM of either size, H100 SXM, GeForce RTX 4090.</summary>
    public static IReadOnlyList<DeviceModel> All { get; } =
    [
        new("a100-40", "A100 40 GB", new CudaArchitecture(8, 0), 40 * Gigabyte, 108, 1.410e9, 1.555e12, 312e12, 2, 1, 164 << 10, 2048, 32),
        new("a100", "A100 80 GB", new CudaArchitecture(8, 0), 80 * Gigabyte, 108, 1.410e9, 2.039e12, 312e12, 2, 1, 164 << 10, 2048, 32),
        new("h100", "H100 80 GB", new CudaArchitecture(9, 0), 80 * Gigabyte, 132, 1.830e9, 3.352e12, 989e12, 4, 2, 228 << 10, 2048, 32),
        new("rtx4090", "RTX 4090", new CudaArchitecture(8, 9), 24 * Gigabyte, 128, 2.520e9, 1.008e12, 165e12, 4, 1.0 / 16, 100 << 10, 1536, 24),
    ];

    /// <summary>The one to plan for when nobody says: the A100 80 GB.</summary>
    public static DeviceModel Default { get; } = All[1];

    /// <summary>fp32 operations per second outside tensor cores, a fused multiply-add counted as two.</summary>
    public double FloatRate => Multiprocessors * Clock * FloatWarps * OperationsPerWarpInstruction;

    /// <summary>The model called <paramref name="key"/>, or null.</summary>
    public static DeviceModel? Find(string key) => All.FirstOrDefault(device => device.Key == key);

    /// <summary>The shortest time of one call of an operation, in seconds: the slowest of memory, tensor cores and fp32 units.</summary>
    public double Seconds(OperationCost call) =>
        Math.Max(call.Bytes / Bandwidth, Math.Max(call.HalfProducts / TensorRate, (call.Operations - call.HalfProducts) / FloatRate));
}
