namespace CoGrpo.Rl;

/// <summary>Log-probabilities of decoded codes, one row per code.</summary>
public readonly ref struct TokenInput
{
    /// <summary>[R] log-probability of the code now.</summary>
    public required ReadOnlySpan<float> LogProb { get; init; }

    /// <summary>[R] in the rollout; may be empty when the objective is on-policy.</summary>
    public ReadOnlySpan<float> OldLogProb { get; init; }

    /// <summary>[R] under the reference model; may be empty when the KL weight is 0.</summary>
    public ReadOnlySpan<float> ReferenceLogProb { get; init; }

    /// <summary>[R] index of the row's segment.</summary>
    public required ReadOnlySpan<int> Segments { get; init; }
}
