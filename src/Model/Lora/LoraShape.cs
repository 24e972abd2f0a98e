namespace CoGrpo.Model.Lora;

/// <summary>Size of one adapter.</summary>
/// <param name="Module">Published name of the projection, as <c>transformer_blocks.0.attn.to_q</c>.</param>
/// <param name="Rank">r, at least 1.</param>
/// <param name="Alpha">α; the adapter's output is weighted by α/r.</param>
public sealed record LoraShape(string Module, int Rank, double Alpha);
