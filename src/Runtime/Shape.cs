namespace CoGrpo.Runtime;

/// <summary>Sizes of up to four dimensions, slowest first. A value type: making one allocates nothing.</summary>
public readonly record struct Shape
{
    private readonly int _d0, _d1, _d2, _d3;

    /// <summary>A shape of rank 1.</summary>
    public Shape(int d0) => (Rank, _d0, _d1, _d2, _d3) = (1, d0, 1, 1, 1);

    /// <summary>A shape of rank 2.</summary>
    public Shape(int d0, int d1) => (Rank, _d0, _d1, _d2, _d3) = (2, d0, d1, 1, 1);

    /// <summary>A shape of rank 3.</summary>
    public Shape(int d0, int d1, int d2) => (Rank, _d0, _d1, _d2, _d3) = (3, d0, d1, d2, 1);

    /// <summary>A shape of rank 4.</summary>
    public Shape(int d0, int d1, int d2, int d3) => (Rank, _d0, _d1, _d2, _d3) = (4, d0, d1, d2, d3);

    /// <summary>Number of dimensions, 0 for the default value.</summary>
    public int Rank { get; }

    /// <summary>Size of dimension <paramref name="dimension"/>, counted from the slowest.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The dimension is not in [0, Rank).</exception>
    public int this[int dimension] => (uint)dimension >= (uint)Rank
        ? throw new ArgumentOutOfRangeException(nameof(dimension), dimension, $"the shape {this} has {Rank} dimensions")
        : dimension switch { 0 => _d0, 1 => _d1, 2 => _d2, _ => _d3 };

    /// <summary>Number of elements; 0 for the default value.</summary>
    public long Count => Rank == 0 ? 0 : (long)_d0 * _d1 * _d2 * _d3;

    /// <summary>Size of the fastest dimension (the channels of a token); 0 for the default value.</summary>
    public int Columns => Rank == 0 ? 0 : this[Rank - 1];

    /// <summary>Product of all dimensions but the fastest; 1 for rank 1.</summary>
    public int Rows => Rank == 0 || Columns == 0 ? 0 : checked((int)(Count / Columns));

    /// <summary>Shape made from <paramref name="dimensions"/> (rank 1 to 4).</summary>
    /// <exception cref="ArgumentException">The rank is not 1 to 4.</exception>
    public static Shape Of(ReadOnlySpan<int> dimensions) => dimensions.Length switch
    {
        1 => new(dimensions[0]),
        2 => new(dimensions[0], dimensions[1]),
        3 => new(dimensions[0], dimensions[1], dimensions[2]),
        4 => new(dimensions[0], dimensions[1], dimensions[2], dimensions[3]),
        _ => throw new ArgumentException($"a shape has 1 to 4 dimensions, got {dimensions.Length}", nameof(dimensions)),
    };

    /// <summary>The sizes in brackets, for messages: <c>[8,72,128]</c>.</summary>
    public override string ToString() => Rank switch
    {
        0 => "[]",
        1 => $"[{_d0}]",
        2 => $"[{_d0},{_d1}]",
        3 => $"[{_d0},{_d1},{_d2}]",
        _ => $"[{_d0},{_d1},{_d2},{_d3}]",
    };
}
