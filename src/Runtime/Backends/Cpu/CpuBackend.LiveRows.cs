namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <summary>Elements of a list.</summary>
    private static int RowCount(Tensor list) => checked((int)list.Shape.Count);

    /// <summary>Elements of a list, or rows of a matrix, that hold values.</summary>
    private static int Live(Tensor x)
    {
        int rows = x.Shape.Rank == 1 ? RowCount(x) : x.Rows;
        return x.LiveRows == 0 ? rows : Math.Min(rows, *(int*)x.LiveRows);
    }
}
