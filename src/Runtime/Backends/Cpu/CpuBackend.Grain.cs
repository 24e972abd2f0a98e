namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <summary>Elements below which waking a worker costs more than it saves.</summary>
    private const int ElementGrain = 8192;

    /// <summary>Rows of <paramref name="columns"/> elements that are worth a worker.</summary>
    private static int RowGrain(int columns) => Math.Max(1, ElementGrain / Math.Max(1, columns));

    /// <summary>Blocks of <see cref="ColumnSums.BlockRows"/> rows that are worth a worker.</summary>
    private static int BlockGrain(int columns) => Math.Max(1, RowGrain(columns) / ColumnSums.BlockRows);

    /// <summary>S for x [B,S,C] or [B*S,C] and a tensor with a row per image.</summary>
    private static int RowsPerImage(Tensor x, Tensor perImage, string name)
    {
        int images = perImage.Rows;
        bool fits = images > 0 ? x.Rows % images == 0 && (x.Shape.Rank < 3 || x.Shape[0] == images) : x.Rows == 0;
        Require.That(fits, name, perImage, "one row per image of x");
        return images > 0 ? Math.Max(1, x.Rows / images) : 1;
    }

    /// <summary>Every index lies in [0, limit): a wrong one would read or write memory of other tensors.</summary>
    private static void RequireIndices(Tensor indices, int limit, string name)
    {
        int* p = indices.I32;
        for (long i = 0, n = indices.Shape.Count; i < n; i++)
        {
            Require.That((uint)p[i] < (uint)limit, name, indices, "indices inside the indexed dimension");
        }
    }
}
