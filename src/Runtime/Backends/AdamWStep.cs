namespace CoGrpo.Runtime.Backends;

/// <summary>Hyper-parameters of one AdamW step. <paramref name="Step"/> counts from 1 and sets the bias correction.</summary>
/// <param name="LearningRate">lr.</param>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the corrected second moment.</param>
/// <param name="WeightDecay">Decoupled decay, times lr.</param>
/// <param name="Step">1 for the first update.</param>
/// <param name="ClipNorm">Largest global gradient norm; 0 leaves gradients as they are.</param>
public readonly record struct AdamWStep(
    double LearningRate,
    double Beta1,
    double Beta2,
    double Epsilon,
    double WeightDecay,
    long Step,
    double ClipNorm = 0
)
{
    /// <summary>The factors of the update, each formed in fp64 and rounded to fp32 once.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The step is below 1.</exception>
    internal AdamWFactors Factors()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Step, 1);
        return new AdamWFactors(
            (float)(1 - (LearningRate * WeightDecay)),
            (float)(1 - Beta1),
            (float)Beta2,
            (float)(1 - Beta2),
            (float)Math.Sqrt(1 - Math.Pow(Beta2, Step)),
            (float)Epsilon,
            (float)(-LearningRate / (1 - Math.Pow(Beta1, Step)))
        );
    }
}

/// <summary>What the arithmetic of an AdamW step reads.</summary>
/// <param name="Keep">1 - lr·wd.</param>
/// <param name="First">1 - beta1.</param>
/// <param name="Beta2">beta2.</param>
/// <param name="Second">1 - beta2.</param>
/// <param name="RootCorrection">sqrt(1 - beta2^step).</param>
/// <param name="Epsilon">eps.</param>
/// <param name="StepSize">-lr / (1 - beta1^step).</param>
internal readonly record struct AdamWFactors(float Keep, float First, float Beta2, float Second, float RootCorrection, float Epsilon, float StepSize);
