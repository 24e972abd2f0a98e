namespace CoGrpo.Rl.Configuration;

/// <summary>The hand-made schedule, with u = (t+1)/T.</summary>
public sealed record HandMadeConfiguration
{
    /// <summary>s: logits are uncond + s(cond - uncond); 1 needs no unconditional pass.</summary>
    [Bounds(1, 30)]
    public double Guidance { get; init; } = 1.25;

    /// <summary>The share of masked positions after a step is cos(u pi/2) to this power.</summary>
    [Bounds(0, 100, Above = true)]
    public double CosineExponent { get; init; } = 1;

    /// <summary>Temperature of the confidence noise at the first step; it falls linearly to 0 at the last.</summary>
    [Bounds(0, 20)]
    public double RemaskTemperature { get; init; } = 2;

    /// <summary>Temperature of the token draw.</summary>
    [Bounds(0.05, 5)]
    public double SamplingTemperature { get; init; } = 1;

    /// <summary>
    /// Use the curve 2^((T-t)/T) that the paper's Table 1 prints for the confidence noise, instead of the linear one of the released code.
    /// </summary>
    public bool Table1Literal { get; init; }
}
