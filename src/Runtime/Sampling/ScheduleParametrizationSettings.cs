namespace CoGrpo.Runtime.Sampling;

/// <summary>The numbers of a learned schedule's action space; see <see cref="ScheduleParametrization"/>.</summary>
public sealed record ScheduleParametrizationSettings
{
    /// <summary>The schedule that zero actions reproduce.</summary>
    public HandMadeSettings HandMade { get; init; } = new();

    /// <summary>Meaning of the first action.</summary>
    public RemaskMode Mode { get; init; } = RemaskMode.Relative;

    /// <summary>Standard deviation (not variance) of the Gaussian policy on r.</summary>
    public double SigmaRemask { get; init; } = 0.3;

    /// <summary>Standard deviation on τ_s.</summary>
    public double SigmaSamplingTemperature { get; init; } = 0.3;

    /// <summary>Standard deviation on τ_r.</summary>
    public double SigmaRemaskTemperature { get; init; } = 0.3;

    /// <summary>Standard deviation on s.</summary>
    public double SigmaGuidance { get; init; } = 0.3;

    /// <summary>λ in [0,1): share of the previous step's deviation kept in this one's. 0 is no smoothing.</summary>
    public double Smoothing { get; init; }

    /// <summary>Smallest τ_s used.</summary>
    public double MinSamplingTemperature { get; init; } = 0.05;

    /// <summary>Largest τ_s used.</summary>
    public double MaxSamplingTemperature { get; init; } = 5;

    /// <summary>Largest τ_r used; the smallest is 0.</summary>
    public double MaxRemaskTemperature { get; init; } = 20;

    /// <summary>Smallest s used.</summary>
    public double MinGuidance { get; init; } = 1;

    /// <summary>Largest s used.</summary>
    public double MaxGuidance { get; init; } = 30;
}
