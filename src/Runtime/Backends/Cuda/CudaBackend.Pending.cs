namespace CoGrpo.Runtime.Backends.Cuda;

#pragma warning disable CS1591, IDE0060, CA1822
public sealed unsafe partial class CudaBackend
{
    public void Linear(Tensor x, Tensor weight, Tensor bias, Tensor y, WeightLayout layout = WeightLayout.OutIn, Activation activation = Activation.None, Tensor preActivation = default, Tensor residual = default, Tensor gate = default) => throw new NotImplementedException();

    public void LinearBackwardInput(Tensor dy, Tensor weight, Tensor dx, WeightLayout layout, bool accumulate) => throw new NotImplementedException();

    public void LinearBackwardWeight(Tensor dy, Tensor x, Tensor dweight, Tensor dbias, WeightLayout layout) => throw new NotImplementedException();

    public void Attention(Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, int heads, bool causal) => throw new NotImplementedException();

    public void AttentionBackward(Tensor dO, Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, Tensor dq, Tensor dk, Tensor dv, int heads, bool causal) => throw new NotImplementedException();

    public void GuidedSample(Tensor conditional, Tensor unconditional, Tensor guidance, Tensor temperature, Tensor positions, Tensor trajectories, NoiseAddress noise, Tensor tokens, Tensor logProb, Tensor confidence) => throw new NotImplementedException();

    public void Remask(Tensor canvas, Tensor candidates, Tensor confidence, Tensor temperature, Tensor counts, Tensor trajectories, NoiseAddress noise, int maskToken, Tensor decodedStep) => throw new NotImplementedException();

    public void LogProbGather(Tensor conditional, Tensor unconditional, Tensor guidance, Tensor temperature, Tensor tokens, Tensor logProb, Tensor confidence, Tensor entropy, Tensor logSumExp) => throw new NotImplementedException();

    public void LogProbGatherBackward(Tensor upstream, Tensor conditional, Tensor unconditional, Tensor guidance, Tensor temperature, Tensor tokens, Tensor logSumExp, Tensor dconditional, Tensor dunconditional) => throw new NotImplementedException();

    public void AdamW(Tensor parameter, Tensor gradient, Tensor firstMoment, Tensor secondMoment, in AdamWStep step, float gradientScale) => throw new NotImplementedException();

    public void Ema(Tensor average, Tensor x, float decay) => throw new NotImplementedException();

    public double SquaredNorm(Tensor x) => throw new NotImplementedException();

}
