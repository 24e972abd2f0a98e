using CoGrpo.Model.Lora;

namespace CoGrpo.Rl.Configuration;

/// <summary>Training of low-rank adapters in place of all weights.</summary>
public sealed record LoraConfiguration
{
    /// <summary>r, rank of each adapter; 0 trains all weights instead.</summary>
    [Bounds(0, 1024)]
    public int Rank { get; init; }

    /// <summary>α; an adapter's output is weighted by α / r.</summary>
    [Bounds(0, 65536, Above = true)]
    public double Alpha { get; init; } = 16;

    /// <summary>Which projections get adapters: <c>attention</c>, <c>mlp</c>, or endings of published module names such as <c>to_q</c>.</summary>
    [Count(1, 32)]
    public IReadOnlyList<string> Targets { get; init; } = [LoraTargets.Attention, LoraTargets.Mlp];
}
