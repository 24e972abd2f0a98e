namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>
/// How an elementwise operation walks its tensors: in pieces of fixed length when all of them are contiguous, else row by row.
/// </summary>
internal readonly struct ElementRuns
{
    private const int PieceLength = 2048;

    private readonly long _count;
    private readonly bool _contiguous;

    /// <summary>Runs over <paramref name="shape"/>; <paramref name="contiguous"/> when every tensor involved is.</summary>
    public ElementRuns(Shape shape, bool contiguous)
    {
        _count = shape.Count;
        _contiguous = contiguous;
        Length = contiguous ? PieceLength : shape.Columns;
        Items = contiguous ? checked((int)((_count + PieceLength - 1) / PieceLength)) : shape.Rows;
    }

    /// <summary>Number of runs.</summary>
    public int Items { get; }

    /// <summary>Elements of a run, the last possibly excepted.</summary>
    public int Length { get; }

    /// <summary>Elements of run <paramref name="item"/>.</summary>
    public int LengthOf(int item) => (int)Math.Min(Length, _count - ((long)item * Length));

    /// <summary>Elements from one run of <paramref name="x"/> to the next.</summary>
    public int Stride(Tensor x) => _contiguous ? PieceLength : x.RowStride;
}
