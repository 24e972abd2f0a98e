namespace CoGrpo.Rl;

/// <summary>How rewards become advantages; see <see cref="Advantages"/>.</summary>
public sealed record AdvantageSettings
{
    /// <summary>Weight of each reward.</summary>
    public IReadOnlyList<double> Weights { get; init; } = [0.5, 0.5];

    /// <summary>Added to each reward's standard deviation, in that reward's unit.</summary>
    public IReadOnlyList<double> Epsilons { get; init; } = [1e-4, 1e-4];

    /// <summary>Where the rewards are brought together.</summary>
    public AdvantageMix Mix { get; init; } = AdvantageMix.Advantages;

    /// <summary>Added to the standard deviation of the sum in <see cref="AdvantageMix.Sums"/>.</summary>
    public double SumEpsilon { get; init; } = 1e-4;

    /// <summary>A group whose standard deviation is below this has no signal: its advantages are exactly 0.</summary>
    public double ZeroDeviation { get; init; } = 1e-6;
}
