namespace CoGrpo.Runtime.Sampling;

/// <summary>The four values that steer one sampling step of one image, in the order used everywhere: r, τ_s, τ_r, s.</summary>
/// <param name="Remask">r: share of the initially masked codes that stays masked after the step, in [0,1]; the last step ignores it.</param>
/// <param name="SamplingTemperature">τ_s &gt; 0: codes are drawn from softmax(z/τ_s).</param>
/// <param name="RemaskTemperature">τ_r ≥ 0: scale of the Gumbel noise on the confidence; the last step ignores it.</param>
/// <param name="Guidance">s: z = u + s(c - u); exactly 1 needs no unconditional pass.</param>
public readonly record struct ScheduleAction(double Remask, double SamplingTemperature, double RemaskTemperature, double Guidance)
{
    /// <summary>Number of values, 4.</summary>
    public const int Count = 4;

    /// <summary>
    /// Whether the image needs unconditional logits. In fp32, as the operations see s: whoever recomputes a log-probability must leave the
    /// unconditional row out exactly when this is false, since u + 1(c - u) is not c to the bit.
    /// </summary>
    public bool IsGuided => (float)Guidance != 1f;

    /// <summary>Value <paramref name="k"/> in the order r, τ_s, τ_r, s.</summary>
    public double Component(int k) => k switch { 0 => Remask, 1 => SamplingTemperature, 2 => RemaskTemperature, _ => Guidance };

    /// <summary>True when every value lies in its documented range and is finite.</summary>
    public bool IsValid => Remask is >= 0 and <= 1 && double.IsFinite(SamplingTemperature) && SamplingTemperature > 0
        && double.IsFinite(RemaskTemperature) && RemaskTemperature >= 0 && double.IsFinite(Guidance);
}
