using CoGrpo.Runtime;

namespace CoGrpo.Model.Rewards;

/// <summary>What MPS needs of a prompt.</summary>
/// <param name="Feature">The embedding of its end token, of length 1.</param>
/// <param name="Tokens">Those of its token embeddings, one row each, that the condition lets the picture attend to.</param>
/// <param name="Shape">[1, tokens, width].</param>
internal sealed record MpsPrompt(double[] Feature, float[] Tokens, Shape Shape);
