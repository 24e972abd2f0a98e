namespace CoGrpo.Model.Images;

/// <summary>Row predictors of a PNG file, with their codes in it.</summary>
internal enum PngFilterKind : byte
{
    None = 0,
    Left = 1,
    Above = 2,
    Average = 3,
    Paeth = 4,
}

/// <summary>Applies and undoes row predictors. <c>distance</c> is the number of bytes to the same sample of the pixel on the left.</summary>
internal static class PngFilter
{
    /// <summary>Replaces the differences in <paramref name="row"/> by the values.</summary>
    public static void Undo(PngFilterKind kind, Span<byte> row, ReadOnlySpan<byte> above, int distance)
    {
        for (int i = 0; i < row.Length; i++)
        {
            row[i] += Predict(kind, row, above, distance, i);
        }
    }

    /// <summary>Writes the differences of <paramref name="row"/> and returns the sum of their absolute values, a guess at their entropy.</summary>
    public static int Apply(PngFilterKind kind, ReadOnlySpan<byte> row, ReadOnlySpan<byte> above, int distance, Span<byte> differences)
    {
        int sum = 0;
        for (int i = 0; i < row.Length; i++)
        {
            differences[i] = (byte)(row[i] - Predict(kind, row, above, distance, i));
            sum += Math.Abs((int)(sbyte)differences[i]);
        }

        return sum;
    }

    private static byte Predict(PngFilterKind kind, ReadOnlySpan<byte> row, ReadOnlySpan<byte> above, int distance, int i)
    {
        int left = i >= distance ? row[i - distance] : 0;
        switch (kind)
        {
            case PngFilterKind.Left:
                return (byte)left;
            case PngFilterKind.Above:
                return above[i];
            case PngFilterKind.Average:
                return (byte)((left + above[i]) / 2);
            case PngFilterKind.Paeth:
                return Paeth(left, above[i], i >= distance ? above[i - distance] : 0);
            default:
                return 0;
        }
    }

    private static byte Paeth(int left, int above, int corner)
    {
        int toLeft = Math.Abs(above - corner);
        int toAbove = Math.Abs(left - corner);
        int toCorner = Math.Abs(left + above - (2 * corner));
        return (byte)(toLeft <= toAbove && toLeft <= toCorner ? left : toAbove <= toCorner ? above : corner);
    }
}
