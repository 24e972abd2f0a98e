namespace CoGrpo.CudaEmulator.Cublas;

/// <summary>A matrix as cuBLASLt sees it: columns stand <paramref name="Stride"/> elements apart.</summary>
internal sealed record MatrixLayout(int Type, int Rows, int Columns, long Stride)
{
    /// <summary>Bytes of an element.</summary>
    public int Size => Type == EmulatedCublasLt.BFloat16 ? sizeof(ushort) : sizeof(float);

    /// <summary>Bytes from the first element to behind the last one.</summary>
    public long Bytes => (((Columns - 1) * Stride) + Rows) * Size;

    /// <summary>Whether columns are multiples of 16 bytes apart and long.</summary>
    public bool HasRuns => Stride * Size % 16 == 0 && Rows * Size % 16 == 0;
}

/// <summary>What is multiplied how.</summary>
internal sealed class ProductDescriptor
{
    public bool TransposeA { get; set; }

    public bool TransposeB { get; set; }

    public bool HasBias { get; set; }

    public ulong Bias { get; set; }
}

/// <summary>D := α op(A) op(B) + bias + β D, one bias per row of D.</summary>
internal sealed record Product(ProductDescriptor Descriptor, MatrixLayout A, MatrixLayout B, MatrixLayout D);
