namespace CoGrpo.Model.Meissonic;

/// <summary>What the transformer is told about time; the network multiplies it by 1000 (specs/meissonic.md 4.4).</summary>
public enum TimeInput
{
    /// <summary>Share of positions that are masked, as this project trains (specs/grpo.md 8, resolution 19). Independent of T.</summary>
    MaskedFraction,

    /// <summary>T - 1 - t, as the published pipeline samples.</summary>
    StepCounter,
}
