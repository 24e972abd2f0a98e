namespace CoGrpo.Runtime.Sampling;

/// <summary>What to sample.</summary>
public readonly ref struct SampleRequest
{
    /// <summary>T ≥ 1.</summary>
    public required int Steps { get; init; }

    /// <summary>[B] prompt index of each image; 0 is the empty prompt.</summary>
    public required ReadOnlySpan<int> Prompts { get; init; }

    /// <summary>Seed of the noise.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Global trajectory number of image 0; image b has this plus b, unless <see cref="Trajectories"/> is given.</summary>
    public int FirstTrajectory { get; init; }

    /// <summary>Empty, or [B] global trajectory numbers. Equal numbers draw equal noise.</summary>
    public ReadOnlySpan<int> Trajectories { get; init; }

    /// <summary>Step the loop starts at, in [0,T): the steps before are taken as done, and <see cref="Start"/> as what they left.</summary>
    public int FirstStep { get; init; }

    /// <summary>Share of all N that r is a share of; null for that of <see cref="SamplerOptions.ScaleToStart"/>.</summary>
    public double? RemaskBase { get; init; }

    /// <summary>Empty for fully masked canvases, or [B*N] codes and mask tokens: only masked positions change.</summary>
    public ReadOnlySpan<int> Start { get; init; }
}
