namespace CoGrpo.Runtime.Backends;

/// <summary>Order of a matrix-product weight in memory.</summary>
public enum WeightLayout : byte
{
    /// <summary>[out, in]: linear layers and convolutions.</summary>
    OutIn,

    /// <summary>[in, out]: transposed convolutions.</summary>
    InOut,
}
