using CoGrpo.Runtime.Cuda;

namespace CoGrpo.CudaEmulator.Driver;

/// <summary>Figures of a device.</summary>
/// <param name="Name">Name as the driver gives it.</param>
/// <param name="Architecture">Compute capability.</param>
/// <param name="Multiprocessors">Number of multiprocessors.</param>
/// <param name="SharedPerMultiprocessor">Bytes of shared memory of a multiprocessor.</param>
/// <param name="SharedOptIn">Bytes of shared memory that a block can opt in to.</param>
/// <param name="ThreadsPerMultiprocessor">Most threads of a multiprocessor.</param>
/// <param name="BlocksPerMultiprocessor">Most blocks of a multiprocessor.</param>
/// <param name="L2Bytes">Bytes of level-2 cache.</param>
/// <param name="ClockKilohertz">Core clock.</param>
/// <param name="MemoryKilohertz">Memory clock.</param>
/// <param name="BusBits">Width of the memory bus.</param>
internal sealed record EmulatedDevice(
    string Name,
    CudaArchitecture Architecture,
    int Multiprocessors,
    int SharedPerMultiprocessor,
    int SharedOptIn,
    int ThreadsPerMultiprocessor,
    int BlocksPerMultiprocessor,
    int L2Bytes,
    int ClockKilohertz,
    int MemoryKilohertz,
    int BusBits
)
{
    public const int SharedDefault = 48 << 10;

    public const int RegistersPerMultiprocessor = 65536;

    /// <summary>By ordinal; the figures are those of the products whose names stand in brackets.</summary>
    public static IReadOnlyList<EmulatedDevice> All { get; } =
    [
        new("Emulated sm_80 (A100)", new CudaArchitecture(8, 0), 108, 164 << 10, 163 << 10, 2048, 32, 40 << 20, 1_410_000, 1_215_000, 5120),
        new("Emulated sm_90 (H100)", new CudaArchitecture(9, 0), 132, 228 << 10, 227 << 10, 2048, 32, 50 << 20, 1_980_000, 2_619_000, 5120),
        new("Emulated sm_75 (RTX 2080 Ti)", new CudaArchitecture(7, 5), 68, 64 << 10, 64 << 10, 1024, 16, 5632 << 10, 1_545_000, 7_000_000, 352),
        new("Emulated sm_70 (V100)", new CudaArchitecture(7, 0), 80, 96 << 10, 96 << 10, 2048, 32, 6 << 20, 1_530_000, 877_000, 4096),
        new("Emulated sm_86 (RTX 3090)", new CudaArchitecture(8, 6), 82, 100 << 10, 99 << 10, 1536, 16, 6 << 20, 1_695_000, 9_751_000, 384),
        new("Emulated sm_89 (RTX 4090)", new CudaArchitecture(8, 9), 128, 100 << 10, 99 << 10, 1536, 24, 72 << 20, 2_520_000, 10_501_000, 384),
    ];

    /// <summary>An attribute by the driver's number, or null for one that is not known.</summary>
    public int? Attribute(int number) => number switch
    {
        1 => 1024,
        2 or 3 => 1024,
        4 => 64,
        5 => int.MaxValue,
        6 or 7 => 65535,
        8 => SharedDefault,
        9 => 64 << 10,
        10 => 32,
        12 or 82 => RegistersPerMultiprocessor,
        13 => ClockKilohertz,
        16 => Multiprocessors,
        36 => MemoryKilohertz,
        37 => BusBits,
        38 => L2Bytes,
        39 => ThreadsPerMultiprocessor,
        41 or 95 => 1,
        75 => Architecture.Major,
        76 => Architecture.Minor,
        81 => SharedPerMultiprocessor,
        97 => SharedOptIn,
        106 => BlocksPerMultiprocessor,
        _ => null,
    };
}
