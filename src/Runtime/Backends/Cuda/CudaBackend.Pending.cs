using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Runtime.Backends.Cuda;

#pragma warning disable CS1591, IDE0060, CA1822
public sealed unsafe partial class CudaBackend
{
    public void GuidedSample(Tensor conditional, Tensor unconditional, in GuidedRows rows, NoiseAddress noise) => throw new NotImplementedException();

    public void HeadSample(Tensor conditional, Tensor unconditional, Tensor head, in GuidedRows rows, NoiseAddress noise) => throw new NotImplementedException();

    public void Remask(in RemaskOperands operands, NoiseAddress noise, int steps, CountRule rule, int maskToken) => throw new NotImplementedException();

    public void MaskedRows(Tensor canvas, int maskToken, Tensor rows, Tensor count, Tensor masked, Tensor fractions) => throw new NotImplementedException();

    public void HeadRows(Tensor rows, in HeadGrid grid, Tensor tokens, Tensor tokenCount, Tensor codes) => throw new NotImplementedException();

    public void ScheduleActions(Tensor delta, Tensor exploration, int trained, in ScheduleLink link, Tensor state, Tensor means, Tensor raw, Tensor actions, Tensor clampHits) => throw new NotImplementedException();

    public IRecording? Record(Action work) => throw new NotImplementedException();

    public void LogProbGather(Tensor conditional, Tensor unconditional, Tensor guidance, Tensor temperature, Tensor tokens, Tensor logProb, Tensor confidence, Tensor entropy, Tensor logSumExp) => throw new NotImplementedException();

    public void LogProbGatherBackward(Tensor upstream, Tensor conditional, Tensor unconditional, Tensor guidance, Tensor temperature, Tensor tokens, Tensor logSumExp, Tensor dconditional, Tensor dunconditional) => throw new NotImplementedException();

    public void AdamW(in AdamWOperands operands, in AdamWStep step) => throw new NotImplementedException();

    public void SquaredNorm(Tensor x, Tensor sum, bool accumulate = false) => throw new NotImplementedException();

}
