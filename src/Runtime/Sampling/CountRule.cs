namespace CoGrpo.Runtime.Sampling;

/// <summary>How r becomes a number of codes.</summary>
public enum CountRule
{
    /// <summary><see cref="RemaskCount.Of"/>: fp64.</summary>
    Double,

    /// <summary><see cref="RemaskCount.OfSingle"/>: the reference implementation's fp32; only for reproducing it.</summary>
    Single,
}
