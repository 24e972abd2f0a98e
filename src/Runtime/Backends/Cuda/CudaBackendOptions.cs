namespace CoGrpo.Runtime.Backends.Cuda;

/// <summary>How a <see cref="CudaBackend"/> works.</summary>
public sealed record CudaBackendOptions
{
    /// <summary>Element type of activations and of the weights that matrix products read: bf16 (needs sm_80), or fp32 without tensor cores.</summary>
    public ElementType Storage { get; init; } = ElementType.BFloat16;

    /// <summary>Which matrix product runs.</summary>
    public GemmName Gemm { get; init; } = GemmName.Own;

    /// <summary>Waits after every launch, so that a failing kernel is named; slow.</summary>
    public bool CheckEveryLaunch { get; init; }
}

/// <summary>The matrix products a <see cref="CudaBackend"/> can use.</summary>
public enum GemmName
{
    /// <summary>This library's kernel: a fixed order of every sum, row bits independent of the batch.</summary>
    Own,

    /// <summary>cuBLASLt: faster on some devices and shapes; bits may differ between batch sizes.</summary>
    Cublas,
}
