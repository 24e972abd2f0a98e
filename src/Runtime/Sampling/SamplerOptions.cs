namespace CoGrpo.Runtime.Sampling;

/// <summary>How <see cref="MaskedSampler"/> works. Only <see cref="CountRule"/> and <see cref="ScaleToStart"/> can change a result.</summary>
public sealed record SamplerOptions
{
    /// <summary>Most images that run through all steps together. Bounds memory, and on a CPU keeps the working set in cache.</summary>
    public int MicroBatch { get; init; } = 32;

    /// <summary>How r becomes a number of codes.</summary>
    public CountRule CountRule { get; init; } = CountRule.Double;

    /// <summary>
    /// Takes r as a share of the positions masked at the start, so that in-painting follows the whole schedule; otherwise as a share of all N.
    /// </summary>
    public bool ScaleToStart { get; init; } = true;

    /// <summary>
    /// At step 0, when all canvases are fully masked, computes one conditional pass per distinct prompt and one unconditional pass per call.
    /// </summary>
    public bool ShareFirstStep { get; init; } = true;
}
