namespace CoGrpo.Rl.Configuration;

/// <summary>Matrix products that a GPU can use.</summary>
public enum GemmChoice
{
    /// <summary>This library's kernel: the same bits at any batch size.</summary>
    Own,

    /// <summary>cuBLASLt: faster on some devices, bits may depend on the batch size.</summary>
    Cublas,
}
