namespace CoGrpo.Model.Lora;

/// <summary>Which projections get adapters, and of what size (Hu et al. 2021, arXiv 2106.09685).</summary>
/// <param name="Rank">r, at least 1.</param>
/// <param name="Alpha">α, above 0.</param>
/// <param name="Targets">Groups or published endings of module names, see <see cref="LoraTargets"/>.</param>
public sealed record LoraConfig(int Rank, double Alpha, IReadOnlyList<string> Targets);
