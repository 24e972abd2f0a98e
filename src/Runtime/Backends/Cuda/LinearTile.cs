namespace CoGrpo.Runtime.Backends.Cuda;

/// <summary>
/// A tile of results that one block of a matrix-product kernel makes, as in kernels/linearmma.cuh and linearsimt.cuh. Every tile adds an element's
/// terms in the same order, so the choice changes speed, never bits.
/// </summary>
/// <param name="Rows">Rows of results.</param>
/// <param name="Columns">Columns of results.</param>
/// <param name="Threads">Threads of the block.</param>
/// <param name="SharedBytes">Dynamic shared memory of the block.</param>
/// <param name="Cost">Time per result on a full device, in that of the fastest tile.</param>
internal readonly record struct LinearTile(int Rows, int Columns, int Threads, int SharedBytes, double Cost)
{
    /// <summary>128 x 256: reads least.</summary>
    public static readonly LinearTile Large = Stages(128, 256, 256, 4, 1.0);

    /// <summary>128 x 128: two blocks on a multiprocessor.</summary>
    public static readonly LinearTile Medium = Stages(128, 128, 128, 3, 1.05);

    /// <summary>64 x 64: for few rows.</summary>
    public static readonly LinearTile Small = Stages(64, 64, 128, 4, 1.6);

    /// <summary>128 x 128 with an operand in fp32 that is rounded on the way in.</summary>
    public static readonly LinearTile Float = Stages(128, 128, 256, 4, 1.2);

    /// <summary>128 x 64 in fp32 without tensor cores.</summary>
    public static readonly LinearTile Simt = new(128, 64, 128, 0, 1.0);

    /// <summary>Blocks that cover a result of the given size.</summary>
    public long Count(int rows, int columns) => (long)((rows + Rows - 1) / Rows) * ((columns + Columns - 1) / Columns);

    /// <summary>Time of the busiest multiprocessor for <paramref name="parts"/> such results.</summary>
    public double Time(int rows, int columns, int parts, int multiprocessors) =>
        (double)(((Count(rows, columns) * parts) + multiprocessors - 1) / multiprocessors) * Rows * Columns * Cost;

    // A stage holds 32 k of both operands in bf16.
    private static LinearTile Stages(int rows, int columns, int threads, int stages, double cost) =>
        new(rows, columns, threads, stages * (rows + columns) * 32 * 2, cost);
}
