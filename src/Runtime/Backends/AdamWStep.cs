namespace CoGrpo.Runtime.Backends;

/// <summary>Hyper-parameters of one AdamW step. <paramref name="Step"/> counts from 1 and sets the bias correction.</summary>
/// <param name="LearningRate">lr.</param>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the corrected second moment.</param>
/// <param name="WeightDecay">Decoupled decay, times lr.</param>
/// <param name="Step">1 for the first update.</param>
public readonly record struct AdamWStep(double LearningRate, double Beta1, double Beta2, double Epsilon, double WeightDecay, long Step);
