namespace CoGrpo.Rl;

/// <summary>Raw schedule actions, four per segment in the order r, τ_s, τ_r, s.</summary>
public readonly ref struct ActionInput
{
    /// <summary>[S*4] raw actions a, before links and clamps.</summary>
    public required ReadOnlySpan<double> RawActions { get; init; }

    /// <summary>[S*4] policy mean η now.</summary>
    public required ReadOnlySpan<double> Means { get; init; }

    /// <summary>[S*4] policy mean in the rollout; may be empty when the objective is on-policy.</summary>
    public ReadOnlySpan<double> OldMeans { get; init; }

    /// <summary>[4] standard deviations.</summary>
    public required ReadOnlySpan<double> Sigma { get; init; }

    /// <summary>[S] true at a trajectory's last step, where r and τ_r have no effect and stay out of the log-probability.</summary>
    public required ReadOnlySpan<bool> LastStep { get; init; }
}
