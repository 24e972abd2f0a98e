namespace CoGrpo.Runtime.Optimization;

/// <summary>Hyper-parameters of an <see cref="AdamWOptimizer"/> that stay fixed over a run.</summary>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the corrected second moment.</param>
/// <param name="WeightDecay">Decoupled decay of tensors of rank 2 and more.</param>
/// <param name="ClipNorm">Largest global gradient norm; 0 leaves gradients as they are.</param>
public readonly record struct AdamWOptions(double Beta1, double Beta2, double Epsilon, double WeightDecay, double ClipNorm);
