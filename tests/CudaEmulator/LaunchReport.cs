using System.Globalization;
using System.Text;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.CudaEmulator;

/// <summary>What one kernel launch did.</summary>
public sealed record LaunchReport
{
    /// <summary>Name of the kernel.</summary>
    public required string Kernel { get; init; }

    /// <summary>Blocks.</summary>
    public required Dim3 Grid { get; init; }

    /// <summary>Threads of a block.</summary>
    public required Dim3 Block { get; init; }

    /// <summary>Shared memory of a block in bytes, static and dynamic.</summary>
    public required int SharedBytes { get; init; }

    /// <summary>Totals of the launch.</summary>
    public required LaunchCounters Counters { get; init; }

    /// <summary>Warp instructions by class.</summary>
    public required IReadOnlyDictionary<InstructionClass, long> Mix { get; init; }

    /// <summary>
    /// Counters by source line, for kernels that <see cref="EmulatorOptions.CountLines"/> asks for; else empty. Keys are «file:line».
    /// </summary>
    public required IReadOnlyDictionary<string, LaunchCounters> Lines { get; init; }

    /// <summary>Different sectors read over the whole launch, where <see cref="EmulatorOptions.CountUniqueSectors"/> is set; else 0.</summary>
    public long UniqueSectorsRead { get; init; }

    /// <summary>Different sectors written over the whole launch.</summary>
    public long UniqueSectorsWritten { get; init; }

    /// <summary>How long the emulator took.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>The report as lines of text.</summary>
    public override string ToString()
    {
        StringBuilder text = new();
        LaunchCounters c = Counters;
        void Line(string name, FormattableString value) =>
            text.Append(CultureInfo.InvariantCulture, $"{name, -22} {value.ToString(CultureInfo.InvariantCulture)}\n");
        Line("kernel", $"{Kernel}, grid {Grid}, block {Block}, {SharedBytes} bytes of shared memory");
        Line("instructions", $"{c.WarpInstructions} of warps, {c.ThreadInstructions} of threads, {c.ThreadInstructions / Math.Max(1e-9, Elapsed.TotalSeconds) / 1e6:F0} million per second here");
        Line("mix", $"{string.Join(", ", Mix.Where(m => m.Value > 0).OrderByDescending(m => m.Value).Select(m => $"{m.Key} {100.0 * m.Value / Math.Max(1, c.WarpInstructions):F1} %"))}");
        Line("global read", $"{c.GlobalSectorsRead} sectors for {c.GlobalBytesRead} bytes, ideal {c.IdealSectorsRead}");
        Line("global written", $"{c.GlobalSectorsWritten} sectors for {c.GlobalBytesWritten} bytes, ideal {c.IdealSectorsWritten}");
        if (UniqueSectorsRead + UniqueSectorsWritten > 0)
        {
            Line("different sectors", $"{UniqueSectorsRead} read, {UniqueSectorsWritten} written");
        }

        Line(
            "shared",
            $"{c.SharedBytesRead} bytes read, {c.SharedBytesWritten} written, {c.SharedWavefronts} passes, {c.BankConflicts} of them bank conflicts"
        );
        Line("local accesses", $"{c.LocalAccesses}");
        Line("divergent branches", $"{c.DivergentBranches}");
        Line("atomics", $"{c.Atomics}");
        Line("tensor cores", $"{c.TensorOperations} instructions, {c.TensorFlops} operations");
        Line("barriers", $"{c.Barriers}");
        Line("asynchronous copies", $"{c.AsyncCopyBytes} bytes");
        return text.ToString();
    }
}
