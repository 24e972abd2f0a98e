namespace CoGrpo.Rl;

/// <summary>The numbers of the clipped objective; see <see cref="ClippedObjective"/>.</summary>
public sealed record ObjectiveSettings
{
    /// <summary>ε: the ratio counts within [1-ε, 1+ε]. Without effect on the first update after a rollout, where the ratio is 1.</summary>
    public double Clip { get; init; } = 0.2;

    /// <summary>The ratio counts up to 1 + this; null for <see cref="Clip"/>.</summary>
    public double? ClipHigh { get; init; }

    /// <summary>Null, or the largest ratio that counts when the advantage is negative, where the clip alone leaves the loss unbounded.</summary>
    public double? RatioCap { get; init; }

    /// <summary>
    /// Takes the detached current log-probability as the old one, so that every ratio is exactly 1: right for one update per rollout.
    /// </summary>
    public bool OnPolicy { get; init; } = true;

    /// <summary>β: weight of the k3 penalty against a reference model. 0 needs no reference.</summary>
    public double KlWeight { get; init; }

    /// <summary>Log-ratios beyond ± this are cut, with zero gradient, before the exponential.</summary>
    public double LogRatioClamp { get; init; } = 20;

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
    public void Validate()
    {
        if (
            !(Clip > 0)
            || !(KlWeight >= 0)
            || !(LogRatioClamp > 0)
            || (RatioCap is { } cap && !(cap > 1 + (ClipHigh ?? Clip)))
            || !((ClipHigh ?? Clip) > 0)
        )
        {
            throw new ArgumentException($"objective: wanted clip > 0, KL weight >= 0, log-ratio clamp > 0 and a ratio cap above 1 + clip, " +
                $"got {Clip}, {KlWeight}, {LogRatioClamp}, {(RatioCap is { } got ? got : "none")}");
        }
    }
}
