using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Serving;

/// <summary>
/// A grid of hand-made schedules and the rounds it is searched in: every round scores the candidates left on fresh training prompts, more
/// of them each time, and keeps the best (successive halving). Few pictures decide about clearly bad settings, many about the best.
/// </summary>
public sealed record GridSearchPlan
{
    /// <summary>Guidance scales.</summary>
    public IReadOnlyList<double> Guidance { get; init; } = [1, 1.25, 1.5, 2];

    /// <summary>Re-mask temperatures of the first step.</summary>
    public IReadOnlyList<double> RemaskTemperature { get; init; } = [0.5, 1, 2, 4];

    /// <summary>Exponents of the cosine.</summary>
    public IReadOnlyList<double> CosineExponent { get; init; } = [0.15, 0.3, 0.6, 1];

    /// <summary>Sampling temperatures.</summary>
    public IReadOnlyList<double> SamplingTemperature { get; init; } = [0.3, 0.5, 0.8, 1];

    /// <summary>Prompts of each task and pictures of each prompt, per round.</summary>
    public IReadOnlyList<GridSearchRound> Rounds { get; init; } = [new(256, 3, 1), new(64, 8, 1), new(24, 20, 1), new(8, 32, 2)];

    /// <summary>Every combination, in a fixed order.</summary>
    public IReadOnlyList<HandMadeSettings> Candidates() =>
    [
        .. from guidance in Guidance
           from remask in RemaskTemperature
           from exponent in CosineExponent
           from sampling in SamplingTemperature
           select new HandMadeSettings { Guidance = guidance, RemaskTemperature = remask, CosineExponent = exponent, SamplingTemperature = sampling },
    ];
}
