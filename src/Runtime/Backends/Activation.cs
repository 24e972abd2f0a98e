namespace CoGrpo.Runtime.Backends;

/// <summary>Pointwise functions of the networks.</summary>
public enum Activation : byte
{
    /// <summary>The identity.</summary>
    None,

    /// <summary>x · sigmoid(x).</summary>
    Silu,

    /// <summary>Gaussian error linear unit, tanh approximation: 0.5x(1 + tanh(sqrt(2/π)(x + 0.044715x³))).</summary>
    GeluTanh,

    /// <summary>Gaussian error linear unit, exact: 0.5x(1 + erf(x/√2)).</summary>
    GeluErf,

    /// <summary>Gaussian error linear unit, sigmoid approximation: x · sigmoid(1.702x), the QuickGELU of OpenAI's CLIP.</summary>
    GeluQuick,
}
