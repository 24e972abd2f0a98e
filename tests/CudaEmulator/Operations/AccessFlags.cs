namespace CoGrpo.CudaEmulator.Operations;

/// <summary>Properties of a memory instruction (<see cref="Compilation.Instr.Flags"/>).</summary>
internal static class AccessFlags
{
    /// <summary>Volatile, relaxed, acquire, release or atomic.</summary>
    public const int Strong = 1;

    /// <summary>Orders what follows after it.</summary>
    public const int Acquire = 2;

    /// <summary>Orders what came before it.</summary>
    public const int Release = 4;

    /// <summary>Through the read-only path (.nc).</summary>
    public const int ReadOnlyPath = 8;

    /// <summary>The address register has 32 bits.</summary>
    public const int NarrowAddress = 16;
}
