namespace CoGrpo.CudaEmulator;

/// <summary>How an emulated device behaves; fixed for a context when it is created.</summary>
public sealed record EmulatorOptions
{
    /// <summary>What is looked for. All checks by default.</summary>
    public EmulatorCheck Checks { get; init; } = EmulatorCheck.All;

    /// <summary>Most instructions that one warp may execute in a launch before it counts as caught in an endless loop.</summary>
    public long InstructionLimit { get; init; } = 200_000_000;

    /// <summary>Threads that execute the blocks of a launch, the calling one included. By default one per processor.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>Bytes of device memory.</summary>
    public long MemoryBytes { get; init; } = 8L << 30;

    /// <summary>
    /// Whether work put into a stream is executed when it is put in. By default it waits, as on a device, until something waits for it: host
    /// code that reads results or reuses buffers too early then sees what it would see on a device.
    /// </summary>
    public bool Immediate { get; init; }

    /// <summary>Whether distinct 32-byte sectors are counted over each whole launch: <see cref="LaunchReport.UniqueSectorsRead"/>.</summary>
    public bool CountUniqueSectors { get; init; }

    /// <summary>Kernels whose counters are also kept per source line: <see cref="LaunchReport.Lines"/>.</summary>
    public Func<string, bool>? CountLines { get; init; }

    /// <summary>Where device-side printf writes.</summary>
    public TextWriter Output { get; init; } = Console.Out;
}
