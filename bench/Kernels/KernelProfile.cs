using CoGrpo.CudaEmulator;

namespace CoGrpo.Bench.Kernels;

/// <summary>What all launches of one kernel in one call of an operation did, as the emulated device counted it.</summary>
internal sealed class KernelProfile
{
    private const int SectorBytes = 32;

    private readonly IReadOnlyList<LaunchReport> _launches;

    /// <param name="launches">Launches of one kernel.</param>
    /// <param name="registers">Registers of a thread, from the assembler.</param>
    public KernelProfile(IReadOnlyList<LaunchReport> launches, int registers) => (_launches, Registers) = (launches, registers);

    /// <summary>Name.</summary>
    public string Name => _launches[0].Kernel;

    /// <summary>Registers of a thread.</summary>
    public int Registers { get; }

    /// <summary>Threads of a block.</summary>
    public int Threads => (int)(_launches[0].Block.X * _launches[0].Block.Y * _launches[0].Block.Z);

    /// <summary>Shared memory of a block, static and dynamic.</summary>
    public int SharedBytes => _launches.Max(launch => launch.SharedBytes);

    /// <summary>Bytes of all sectors that warps moved, caches not counted.</summary>
    public double MovedBytes =>
        SectorBytes * _launches.Sum(launch => (double)launch.Counters.GlobalSectorsRead + launch.Counters.GlobalSectorsWritten);

    /// <summary>Bytes of the different sectors of a launch: what device memory moves if the cache holds all that is used again.</summary>
    public double MemoryBytes => SectorBytes * _launches.Sum(launch => (double)launch.UniqueSectorsRead + launch.UniqueSectorsWritten);

    /// <summary>Warp instructions.</summary>
    public double WarpInstructions => _launches.Sum(launch => (double)launch.Counters.WarpInstructions);

    /// <summary>Operations on tensor cores.</summary>
    public double TensorOperations => _launches.Sum(launch => (double)launch.Counters.TensorFlops);

    /// <summary>Passes of shared memory.</summary>
    public double SharedPasses => _launches.Sum(launch => (double)launch.Counters.SharedWavefronts);

    /// <summary>Passes that conflicting banks add.</summary>
    public long BankConflicts => _launches.Sum(launch => launch.Counters.BankConflicts);

    /// <summary>Warp instructions of a class.</summary>
    public double Count(InstructionClass kind) => _launches.Sum(launch => (double)launch.Mix.GetValueOrDefault(kind));

    /// <summary>The classes that make up most of the instructions.</summary>
    public string Mix =>
        string.Join(
            ", ",
            Enum.GetValues<InstructionClass>()
                .Select(kind => (Kind: kind, Share: Count(kind) / Math.Max(1, WarpInstructions)))
                .Where(part => part.Share >= 0.08)
                .OrderByDescending(part => part.Share)
                .Take(4)
                .Select(part => $"{part.Kind.ToString().ToLowerInvariant()} {100 * part.Share:0}")
        );
}
