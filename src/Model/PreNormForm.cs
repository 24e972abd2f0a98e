using CoGrpo.Runtime.Backends;

namespace CoGrpo.Model;

/// <summary>Sizes and functions of a <see cref="PreNormBlock"/>.</summary>
/// <param name="Width">C.</param>
/// <param name="Heads">Attention heads of C / Heads channels each.</param>
/// <param name="MlpWidth">Width inside the MLP.</param>
/// <param name="Epsilon">Added to the variance in both norms.</param>
/// <param name="Activation">Of the MLP.</param>
/// <param name="Causal">Whether later tokens are hidden.</param>
internal sealed record PreNormForm(int Width, int Heads, int MlpWidth, float Epsilon, Activation Activation, bool Causal = false);
