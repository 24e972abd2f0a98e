namespace CoGrpo.CudaEmulator;

/// <summary>One thing that a kernel did wrong, with everything known about where.</summary>
public sealed record Violation
{
    /// <summary>What it is.</summary>
    public required ViolationKind Kind { get; init; }

    /// <summary>Name of the kernel.</summary>
    public required string Kernel { get; init; }

    /// <summary>What happened, one sentence.</summary>
    public required string Text { get; init; }

    /// <summary>File name of the source, empty when the code has no line information.</summary>
    public string File { get; init; } = "";

    /// <summary>Line of the source; 0 when the code has no line information. For inlined code the innermost one.</summary>
    public int Line { get; init; }

    /// <summary>Source position with the calls that were inlined.</summary>
    public string Place { get; init; } = "";

    /// <summary>The PTX instruction and its line in the PTX text.</summary>
    public string Instruction { get; init; } = "";

    /// <summary>Block index.</summary>
    public (uint X, uint Y, uint Z) Block { get; init; }

    /// <summary>Thread index in the block.</summary>
    public (uint X, uint Y, uint Z) Thread { get; init; }

    /// <summary>The address accessed, where there is one.</summary>
    public ulong? Address { get; init; }

    /// <summary>The violation on one line.</summary>
    public override string ToString() =>
        $"{Kind}: {Text}; kernel {Kernel}, {Place}, block ({Block.X},{Block.Y},{Block.Z}), thread ({Thread.X},{Thread.Y},{Thread.Z})" +
        (Address is { } address ? $", address 0x{address:x}" : "") + (Instruction.Length > 0 ? $", instruction {Instruction}" : "");
}
