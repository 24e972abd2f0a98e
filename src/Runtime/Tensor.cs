namespace CoGrpo.Runtime;

/// <summary>
/// A view of memory that belongs to an <see cref="Arena"/>: address, shape, distance between rows, element type. Owns nothing and
/// frees nothing; it is valid as long as the arena slice it was cut from. Rows are runs of <see cref="Shape.Columns"/> adjacent
/// elements; consecutive rows stand <see cref="RowStride"/> elements apart, so a column range of a matrix is a tensor too.
/// </summary>
public readonly struct Tensor
{
    /// <summary>A view at <paramref name="address"/>. Rows adjacent unless <paramref name="rowStride"/> says otherwise.</summary>
    public Tensor(nint address, Shape shape, ElementType type, int rowStride = 0, nint liveRows = 0)
    {
        Address = address;
        Shape = shape;
        Type = type;
        RowStride = rowStride == 0 ? shape.Columns : rowStride;
        LiveRows = liveRows;
    }

    /// <summary>Address of the first element, in the address space of the backend that owns the arena.</summary>
    public nint Address { get; }

    /// <summary>Sizes, slowest dimension first.</summary>
    public Shape Shape { get; }

    /// <summary>Elements from one row to the next; equals <see cref="Shape.Columns"/> when rows are adjacent.</summary>
    public int RowStride { get; }

    /// <summary>Element type.</summary>
    public ElementType Type { get; }

    /// <summary>
    /// 0 when all rows hold values; else the device address of an Int32 with the number of leading rows that do. Operations that document
    /// it leave the other rows out, so that a number of rows known to the device alone never has to come to the host.
    /// </summary>
    public nint LiveRows { get; }

    /// <summary>Int32 [1]: the number behind <see cref="LiveRows"/>; none when all rows hold values.</summary>
    public Tensor LiveRowCount => LiveRows == 0 ? default : new Tensor(LiveRows, new Shape(1), ElementType.Int32);

    /// <summary>True for <c>default</c>: an optional argument that was left out.</summary>
    public bool IsNone => Shape.Rank == 0;

    /// <summary>True when rows are adjacent, so that the elements are one run of <see cref="Shape.Count"/>.</summary>
    public bool IsContiguous => RowStride == Shape.Columns || Shape.Rows <= 1;

    /// <summary>Number of rows: product of all dimensions but the fastest.</summary>
    public int Rows => Shape.Rows;

    /// <summary>Size of the fastest dimension.</summary>
    public int Columns => Shape.Columns;

    /// <summary>The first element as fp32, for CPU kernels; meaningless for device memory.</summary>
    internal unsafe float* F32 => (float*)Address;

    /// <summary>The first element as a 32-bit integer, for CPU kernels; meaningless for device memory.</summary>
    internal unsafe int* I32 => (int*)Address;

    /// <summary>The same contiguous elements under another shape.</summary>
    /// <exception cref="TensorException">The tensor is not contiguous or the counts differ.</exception>
    public Tensor Reshape(Shape shape)
    {
        if (shape.Count != Shape.Count || !IsContiguous)
        {
            throw new TensorException("tensor", $"{Shape.Count} contiguous elements", $"{shape} of {shape.Count} elements from {this}",
                "reshape needs adjacent rows and the same number of elements; copy the view first");
        }

        return new Tensor(Address, shape, Type, liveRows: shape.Rows == Rows ? LiveRows : 0);
    }

    /// <summary>The same tensor of which only as many leading rows hold values as <paramref name="count"/> (Int32 [1], same device) says.</summary>
    public Tensor WithLiveRows(Tensor count) => new(Address, Shape, Type, RowStride, count.Address);

    /// <summary>Rows [first, first + count) of the tensor seen as a matrix: shape [count, Columns], same row distance.</summary>
    /// <exception cref="TensorException">The range does not lie in the tensor.</exception>
    public Tensor RowRange(int first, int count)
    {
        if (first < 0 || count < 0 || first + count > Rows)
        {
            throw new TensorException("rows", $"a range in [0,{Rows})", $"[{first},{first + count})", "check the row range against the shape");
        }

        return new Tensor(Address + ((nint)first * RowStride * Type.Size()), new Shape(count, Columns), Type, RowStride);
    }

    /// <summary>Columns [first, first + count) of every row: a strided view that keeps all other dimensions.</summary>
    /// <exception cref="TensorException">The range does not lie in the tensor.</exception>
    public Tensor ColumnRange(int first, int count)
    {
        if (first < 0 || count < 0 || first + count > Columns)
        {
            throw new TensorException(
                "columns",
                $"a range in [0,{Columns})",
                $"[{first},{first + count})",
                "check the column range against the shape"
            );
        }

        Shape shape = Shape.Rank switch
        {
            1 => new Shape(count),
            2 => new Shape(Shape[0], count),
            3 => new Shape(Shape[0], Shape[1], count),
            _ => new Shape(Shape[0], Shape[1], Shape[2], count),
        };
        return new Tensor(Address + ((nint)first * Type.Size()), shape, Type, RowStride, LiveRows);
    }

    /// <summary>Shape, type and, when rows are not adjacent, their distance.</summary>
    public override string ToString() => IsContiguous ? $"{Type}{Shape}" : $"{Type}{Shape} with row stride {RowStride}";
}
