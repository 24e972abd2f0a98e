namespace CoGrpo.Runtime.Sampling;

/// <summary>What the first number of a learned action stands for.</summary>
public enum RemaskMode
{
    /// <summary>r itself. Masks only shrink, so independent noise makes many steps idle; fit for up to about 16 steps, or with smoothing.</summary>
    Absolute,

    /// <summary>The factor by which r falls in this step. Noise never accumulates against the monotone clamp; the choice for many steps.</summary>
    Relative,
}
