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
