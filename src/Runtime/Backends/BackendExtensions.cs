namespace CoGrpo.Runtime.Backends;

/// <summary>What can be said of any backend through its operations.</summary>
public static class BackendExtensions
{
    /// <summary>Leading rows of <paramref name="x"/> (elements, for a list) that hold values. Waits for the device when it alone knows.</summary>
    public static int LiveRowsOf(this IBackend backend, Tensor x)
    {
        ArgumentNullException.ThrowIfNull(backend);
        int rows = x.Shape.Rank == 1 ? checked((int)x.Shape.Count) : x.Rows;
        if (x.LiveRows == 0)
        {
            return rows;
        }

        Span<int> live = stackalloc int[1];
        backend.Download(x.LiveRowCount, live);
        return Math.Min(rows, live[0]);
    }
}
