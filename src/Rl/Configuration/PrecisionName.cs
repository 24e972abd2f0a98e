namespace CoGrpo.Rl.Configuration;

/// <summary>Element types that a GPU can keep activations and weights in. The CPU computes in fp32.</summary>
public enum PrecisionName
{
    /// <summary>bfloat16 with fp32 sums, statistics, logits and master weights.</summary>
    Bf16,

    /// <summary>fp32 throughout, without tensor cores.</summary>
    Fp32,
}
