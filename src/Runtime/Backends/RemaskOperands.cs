namespace CoGrpo.Runtime.Backends;

/// <summary>Operands of <see cref="IBackend.Remask"/> for B canvases of N positions.</summary>
public readonly record struct RemaskOperands
{
    /// <summary>Int32 [B,N] in and out: a code, or the mask token.</summary>
    public required Tensor Canvas { get; init; }

    /// <summary>Int32 [B,N], read at masked positions.</summary>
    public required Tensor Candidates { get; init; }

    /// <summary>[B,N], read at masked positions.</summary>
    public required Tensor Confidence { get; init; }

    /// <summary>[B,N] log-probability of the candidates, read at masked positions.</summary>
    public required Tensor LogProb { get; init; }

    /// <summary>Float64 [B,4] actions r, τ_s, τ_r, s: r gives the number that stays masked, τ_r the scale of the noise.</summary>
    public required Tensor Actions { get; init; }

    /// <summary>Float64 [B]: r is a share of this share of all N positions.</summary>
    public required Tensor StartShare { get; init; }

    /// <summary>Int32 [B] global trajectory numbers for the noise.</summary>
    public required Tensor Trajectories { get; init; }

    /// <summary>Int32 [B,N]: the step is written at positions decoded by the call.</summary>
    public required Tensor DecodedStep { get; init; }

    /// <summary>[B,N]: the candidate's log-probability is written at positions decoded by the call.</summary>
    public required Tensor DecodedLogProb { get; init; }
}
