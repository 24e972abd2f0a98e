namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>
/// Addresses and sizes of one attention call, as the workers see them. Strides are in elements; gradients are null in the forward direction.
/// </summary>
internal unsafe struct AttentionArguments
{
    public nint* Scratch;
    public float* Q, K, V, O, LogSumExp;
    public nint QStride, KStride, VStride, OStride;
    public float* DO, DQ, DK, DV;
    public nint DOStride, DQStride, DKStride, DVStride;
    public int Images, Heads, Queries, Keys, Width;
    public bool Causal;

    /// <summary>Width rounded up to whole vectors.</summary>
    public readonly int WidthPadded => (Width + 15) & ~15;

    /// <summary>Width rounded up to whole panels of a right operand.</summary>
    public readonly int WidthPanels => (Width + TileProduct.PanelWidth - 1) & -TileProduct.PanelWidth;

    /// <summary>1/sqrt(D).</summary>
    public readonly float Scale => 1f / MathF.Sqrt(Width);

    /// <summary>First element of token <paramref name="row"/> of one head in a tensor [B,<paramref name="rows"/>,H*D].</summary>
    public readonly float* Token(float* tensor, nint stride, int image, int rows, int row, int head) =>
        tensor + ((((nint)image * rows) + row) * stride) + ((nint)head * Width);

    /// <summary>
    /// Number of keys of the tile that starts at <paramref name="firstKey"/> which query <paramref name="query"/> sees, at most
    /// <paramref name="keys"/>; may be negative.
    /// </summary>
    public readonly int Visible(int query, int firstKey, int keys) => Causal ? Math.Min(keys, query - firstKey + 1) : keys;
}
