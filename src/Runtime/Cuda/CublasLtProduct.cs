namespace CoGrpo.Runtime.Cuda;

/// <summary>
/// A product D[i,j] (+)= Σ_k A(i,k) B(j,k) + bias[j] as cuBLASLt chooses an algorithm for it. Rows of D are adjacent elements; an operand is deep
/// when k is its fastest dimension, else k is its row number. Strides are the elements from one row in memory to the next.
/// </summary>
/// <param name="Rows">Rows of D.</param>
/// <param name="Columns">Columns of D.</param>
/// <param name="Depth">Terms of each sum.</param>
/// <param name="Operand">Element type of A and B: Float32 or BFloat16.</param>
/// <param name="Result">Element type of D and of the bias.</param>
/// <param name="ADeep">Whether A lies as [Rows,Depth]; else [Depth,Rows].</param>
/// <param name="BDeep">Whether B lies as [Columns,Depth]; else [Depth,Columns].</param>
/// <param name="AStride">Row stride of A.</param>
/// <param name="BStride">Row stride of B.</param>
/// <param name="DStride">Row stride of D.</param>
/// <param name="Bias">Whether a bias is added.</param>
/// <param name="Accumulate">Whether D is added to instead of overwritten.</param>
/// <param name="Alignment">Power of two that divides all addresses, at most 256.</param>
public readonly record struct CublasLtProduct(
    int Rows,
    int Columns,
    int Depth,
    ElementType Operand,
    ElementType Result,
    bool ADeep,
    bool BDeep,
    long AStride,
    long BStride,
    long DStride,
    bool Bias,
    bool Accumulate,
    int Alignment
)
{
    /// <summary>The largest power of two up to 256 that divides every address.</summary>
    public static int CommonAlignment(params ReadOnlySpan<nint> addresses)
    {
        long bits = 256;
        foreach (nint address in addresses)
        {
            bits |= address;
        }

        return (int)(bits & -bits);
    }
}
