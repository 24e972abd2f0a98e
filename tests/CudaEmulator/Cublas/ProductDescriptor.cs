namespace CoGrpo.CudaEmulator.Cublas;

/// <summary>What a product does beside multiplying.</summary>
internal sealed class ProductDescriptor
{
    public bool TransposeA { get; set; }

    public bool TransposeB { get; set; }

    public bool HasBias { get; set; }

    /// <summary>Device address of the bias.</summary>
    public ulong Bias { get; set; }
}
