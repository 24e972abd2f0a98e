namespace CoGrpo.CudaEmulator.Operations;

/// <summary>What the elements of a matrix are.</summary>
internal enum MatrixElement
{
    Half,
    BFloat,
    TensorFloat,
    Signed8,
    Unsigned8,
    Real,
}

/// <summary>
/// An mma instruction: its shape and slots. Lane 4g+t holds of A in register r, where a register has p elements, those of row g + 8 (r mod 2)
/// and columns t p … + 4 p (r div 2); of B those of column g and rows t p … + 4 p r; of C two neighbouring columns 2 t of rows g and g + 8.
/// </summary>
internal sealed class MatrixMultiply
{
    public required int Rows { get; init; }

    public required int Depth { get; init; }

    public required MatrixElement ElementA { get; init; }

    public required MatrixElement ElementB { get; init; }

    /// <summary>Sums are kept in fp16 (pairs in a register) instead of fp32 or 32-bit integers.</summary>
    public required bool HalfSums { get; init; }

    /// <summary>Integer sums stop at the ends of the range.</summary>
    public required bool Saturates { get; init; }

    public required int[] A { get; init; }

    public required int[] B { get; init; }

    public required int[] C { get; init; }

    public required int[] D { get; init; }

    /// <summary>Operations, a multiply-add counting two.</summary>
    public long Flops => 2L * Rows * 8 * Depth;

    /// <summary>Elements of a register.</summary>
    public int PerRegister =>
        ElementA switch
        {
            MatrixElement.Half or MatrixElement.BFloat => 2,
            MatrixElement.Signed8 or MatrixElement.Unsigned8 => 4,
            _ => 1,
        };
}
