using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Runtime.Backends.Cuda;

#pragma warning disable CS1591, IDE0060, CA1822
public sealed unsafe partial class CudaBackend
{
    public void Copy(Tensor x, Tensor y) => throw new NotImplementedException();

    public void Add(Tensor a, Tensor b, Tensor y, bool accumulate = false) => throw new NotImplementedException();

    public void Scale(Tensor x, float factor, Tensor y) => throw new NotImplementedException();

    public void Activate(Tensor x, Tensor y, Activation activation) => throw new NotImplementedException();

    public void ActivateBackward(Tensor dy, Tensor x, Tensor dx, Activation activation, bool accumulate = false) => throw new NotImplementedException();

    public void AdaLn(Tensor x, Tensor shift, Tensor scale, Tensor y, Tensor stats, float epsilon) => throw new NotImplementedException();

    public void AdaLnBackward(Tensor dy, Tensor x, Tensor scale, Tensor stats, Tensor dx, bool accumulate, Tensor dshift, Tensor dscale) => throw new NotImplementedException();

    public void LayerNorm(Tensor x, Tensor weight, Tensor bias, Tensor y, Tensor stats, float epsilon) => throw new NotImplementedException();

    public void LayerNormBackward(Tensor dy, Tensor x, Tensor weight, Tensor stats, Tensor dx, bool accumulate, Tensor dweight, Tensor dbias) => throw new NotImplementedException();

    public void QkNormRope(Tensor x, Tensor weight, Tensor cos, Tensor sin, Tensor y, int firstRow, Tensor rstd, int heads, float epsilon) => throw new NotImplementedException();

    public void QkNormRopeBackward(Tensor dy, Tensor x, Tensor weight, Tensor cos, Tensor sin, Tensor rstd, int firstRow, Tensor dx, Tensor dweight, int heads) => throw new NotImplementedException();

    public void GateResidual(Tensor residual, Tensor branch, Tensor gate, Tensor y) => throw new NotImplementedException();

    public void GateResidualBackward(Tensor dy, Tensor branch, Tensor gate, Tensor dbranch, Tensor dgate) => throw new NotImplementedException();

    public void Embedding(Tensor ids, Tensor table, Tensor positions, Tensor y) => throw new NotImplementedException();

    public void EmbeddingBackward(Tensor dy, Tensor ids, Tensor dtable, Tensor dpositions) => throw new NotImplementedException();

    public void SpaceToDepth(Tensor x, Tensor y) => throw new NotImplementedException();

    public void DepthToSpace(Tensor x, Tensor y) => throw new NotImplementedException();

    public void TransposeTokens(Tensor x, Tensor y) => throw new NotImplementedException();

    public void CopyTokens(Tensor x, int xFirst, Tensor y, int yFirst, int count, bool accumulate = false) => throw new NotImplementedException();

    public void GatherRows(Tensor x, Tensor rows, Tensor y) => throw new NotImplementedException();

    public void GatherRowsBackward(Tensor dy, Tensor rows, Tensor dx, bool accumulate) => throw new NotImplementedException();

    public void DepthwiseConv(Tensor x, Tensor weight, Tensor bias, Tensor y) => throw new NotImplementedException();

    public void DepthwiseConvBackward(Tensor dy, Tensor x, Tensor weight, Tensor dx, Tensor dweight, Tensor dbias) => throw new NotImplementedException();

    public void AreaMean(Tensor x, Tensor y) => throw new NotImplementedException();

    public void AreaMeanBackward(Tensor dy, Tensor dx) => throw new NotImplementedException();

    public void Sinusoid(Tensor values, Tensor frequencies, Tensor y) => throw new NotImplementedException();

    public void CrossEntropy(Tensor logits, Tensor labels, float weight, Tensor loss, Tensor dlogits) => throw new NotImplementedException();

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
