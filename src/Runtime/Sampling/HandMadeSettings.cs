namespace CoGrpo.Runtime.Sampling;

/// <summary>The numbers of a hand-made schedule; the defaults are those of the published Meissonic sampler.</summary>
public sealed record HandMadeSettings
{
    /// <summary>Guidance scale s, the same at every step. 1 means no guidance and no unconditional pass.</summary>
    public double Guidance { get; init; } = 9;

    /// <summary>γ in r = cos(π(t+1)/2T)^γ.</summary>
    public double CosineExponent { get; init; } = 1;

    /// <summary>Re-mask temperature of the first step; falls linearly to 0 at the last.</summary>
    public double RemaskTemperature { get; init; } = 2;

    /// <summary>Takes τ_r = 2^((T-t)/T), the form printed in Table 1 of the paper, instead of the linear ramp of the released code.</summary>
    public bool Table1Literal { get; init; }

    /// <summary>Sampling temperature τ_s, the same at every step.</summary>
    public double SamplingTemperature { get; init; } = 1;

    /// <summary>
    /// Computes r in fp32 in the reference implementation's order of operations. Only for reproducing it; see <see cref="RemaskCount.OfSingle"/>.
    /// </summary>
    public bool SinglePrecision { get; init; }

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">A value is out of range; the message names it and the range.</exception>
    public void Validate()
    {
        Check(double.IsFinite(Guidance), nameof(Guidance), Guidance, "a finite number");
        Check(double.IsFinite(CosineExponent) && CosineExponent > 0, nameof(CosineExponent), CosineExponent, "a number above 0");
        Check(double.IsFinite(RemaskTemperature) && RemaskTemperature >= 0, nameof(RemaskTemperature), RemaskTemperature, "a number of at least 0");
        Check(double.IsFinite(SamplingTemperature) && SamplingTemperature > 0, nameof(SamplingTemperature), SamplingTemperature, "a number above 0");
        Check(
            !SinglePrecision || CosineExponent == 1,
            nameof(CosineExponent),
            CosineExponent,
            "1 with SinglePrecision (the reference has no exponent)"
        );
    }

    /// <summary>The schedule's values at step <paramref name="step"/> of <paramref name="steps"/>; r is exactly 0 at the last step.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The step is not in [0, steps).</exception>
    public ScheduleAction At(int step, int steps)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(step, steps);
        double remask = step == steps - 1 ? 0 : SinglePrecision ? SingleCosine(step, steps) : Cosine((step + 1) / (double)steps);
        return new ScheduleAction(remask, SamplingTemperature, RemaskTemperatureAt(step, steps), Guidance);
    }

    /// <summary>cos(uπ/2)^γ; u = (t+1)/T is the share of the schedule that lies behind after step t.</summary>
    internal double Cosine(double u)
    {
        double cosine = Math.Cos(u * Math.PI / 2);
        return CosineExponent == 1 ? cosine : Math.Pow(cosine, CosineExponent);
    }

    /// <summary>τ_r of a step; 0 for a schedule of a single step, which re-masks nothing.</summary>
    internal double RemaskTemperatureAt(int step, int steps) =>
        Table1Literal ? Math.Pow(2, (steps - step) / (double)steps)
        : steps == 1 ? 0
        : RemaskTemperature * (steps - 1 - step) / (steps - 1);

    private static double SingleCosine(int step, int steps) => MathF.Cos((step + 1) / (float)steps * MathF.PI * 0.5f);

    private static void Check(bool condition, string name, double got, string wanted)
    {
        if (!condition)
        {
            throw new ArgumentException($"schedule: {name} wanted {wanted}, got {got}; change it in the configuration", name);
        }
    }
}
