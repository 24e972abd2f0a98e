using CoGrpo.Runtime.Optimization;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Runtime.Backends.Plan;

// Costs are those of the contract, not of any kernel. Operations of transcendental functions count as the handful of multiplications they take.
public sealed partial class PlanBackend
{
    /// <inheritdoc/>
    public void Fill(Tensor x, float value) => Count(nameof(Fill), 0, 0, Bytes(x));

    /// <inheritdoc/>
    public void Copy(Tensor x, Tensor y) => Count(nameof(Copy), 0, Bytes(x), Bytes(y));

    /// <inheritdoc/>
    public void Add(Tensor a, Tensor b, Tensor y, bool accumulate = false) =>
        Count(nameof(Add), (b.IsNone ? 0 : a.Shape.Count) + (accumulate ? a.Shape.Count : 0), Bytes(a) + Bytes(b) + (accumulate ? Bytes(y) : 0), Bytes(y));

    /// <inheritdoc/>
    public void Scale(Tensor x, float factor, Tensor y) => Count(nameof(Scale), x.Shape.Count, Bytes(x), Bytes(y));

    /// <inheritdoc/>
    public void Linear(Tensor x, Tensor weight, Tensor bias, Tensor y, WeightLayout layout = WeightLayout.OutIn, Activation activation = Activation.None,
        Tensor preActivation = default, Tensor residual = default, Tensor gate = default) =>
        Count(nameof(Linear), 2.0 * x.Rows * x.Columns * y.Columns, Bytes(x) + Bytes(weight) + Bytes(bias) + Bytes(residual) + Bytes(gate), Bytes(y) + Bytes(preActivation));

    /// <inheritdoc/>
    public void LinearBackwardInput(Tensor dy, Tensor weight, Tensor dx, WeightLayout layout, bool accumulate) =>
        Count(nameof(LinearBackwardInput), 2.0 * dy.Rows * dy.Columns * dx.Columns, Bytes(dy) + Bytes(weight) + (accumulate ? Bytes(dx) : 0), Bytes(dx));

    /// <inheritdoc/>
    public void LinearBackwardWeight(Tensor dy, Tensor x, Tensor dweight, Tensor dbias, WeightLayout layout) =>
        Count(nameof(LinearBackwardWeight), (dweight.IsNone ? 0 : 2.0 * dy.Rows * dy.Columns * x.Columns) + (dbias.IsNone ? 0 : dy.Shape.Count),
            Bytes(dy) + (dweight.IsNone ? 0 : Bytes(x)) + Bytes(dweight) + Bytes(dbias), Bytes(dweight) + Bytes(dbias));

    /// <inheritdoc/>
    public void Activate(Tensor x, Tensor y, Activation activation) => Count(nameof(Activate), 15.0 * x.Shape.Count, Bytes(x), Bytes(y));

    /// <inheritdoc/>
    public void ActivateBackward(Tensor dy, Tensor x, Tensor dx, Activation activation, bool accumulate = false) =>
        Count(nameof(ActivateBackward), 25.0 * x.Shape.Count, Bytes(dy) + Bytes(x) + (accumulate ? Bytes(dx) : 0), Bytes(dx));

    /// <inheritdoc/>
    public void Attention(Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, int heads, bool causal) =>
        Count(nameof(Attention), AttentionProducts(q, k, causal) * 2, Bytes(q) + Bytes(k) + Bytes(v), Bytes(o) + Bytes(logSumExp));

    /// <inheritdoc/>
    public void AttentionBackward(Tensor dO, Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, Tensor dq, Tensor dk, Tensor dv, int heads, bool causal) =>
        Count(nameof(AttentionBackward), AttentionProducts(q, k, causal) * 5, Bytes(dO) + Bytes(q) + Bytes(k) + Bytes(v) + Bytes(o) + Bytes(logSumExp), Bytes(dq) + Bytes(dk) + Bytes(dv));

    /// <inheritdoc/>
    public void AdaLn(Tensor x, Tensor shift, Tensor scale, Tensor y, Tensor stats, float epsilon) =>
        Count(nameof(AdaLn), 8.0 * x.Shape.Count, Bytes(x) + Bytes(shift) + Bytes(scale), Bytes(y) + Bytes(stats));

    /// <inheritdoc/>
    public void AdaLnBackward(Tensor dy, Tensor x, Tensor scale, Tensor stats, Tensor dx, bool accumulate, Tensor dshift, Tensor dscale) =>
        Count(nameof(AdaLnBackward), 14.0 * x.Shape.Count, Bytes(dy) + Bytes(x) + Bytes(scale) + Bytes(stats) + (accumulate ? Bytes(dx) : 0) + Bytes(dshift) + Bytes(dscale),
            Bytes(dx) + Bytes(dshift) + Bytes(dscale));

    /// <inheritdoc/>
    public void RmsNorm(Tensor x, Tensor weight, Tensor y, Tensor rstd, float epsilon) =>
        Count(nameof(RmsNorm), 4.0 * x.Shape.Count, Bytes(x) + Bytes(weight), Bytes(y) + Bytes(rstd));

    /// <inheritdoc/>
    public void RmsNormBackward(Tensor dy, Tensor x, Tensor weight, Tensor rstd, Tensor dx, bool accumulate, Tensor dweight) =>
        Count(nameof(RmsNormBackward), 10.0 * x.Shape.Count, Bytes(dy) + Bytes(x) + Bytes(weight) + Bytes(rstd) + (accumulate ? Bytes(dx) : 0) + Bytes(dweight), Bytes(dx) + Bytes(dweight));

    /// <inheritdoc/>
    public void LayerNorm(Tensor x, Tensor weight, Tensor bias, Tensor y, Tensor stats, float epsilon) =>
        Count(nameof(LayerNorm), 8.0 * x.Shape.Count, Bytes(x) + Bytes(weight) + Bytes(bias), Bytes(y) + Bytes(stats));

    /// <inheritdoc/>
    public void LayerNormBackward(Tensor dy, Tensor x, Tensor weight, Tensor stats, Tensor dx, bool accumulate, Tensor dweight, Tensor dbias) =>
        Count(nameof(LayerNormBackward), 14.0 * x.Shape.Count, Bytes(dy) + Bytes(x) + Bytes(weight) + Bytes(stats) + (accumulate ? Bytes(dx) : 0) + Bytes(dweight) + Bytes(dbias),
            Bytes(dx) + Bytes(dweight) + Bytes(dbias));

    /// <inheritdoc/>
    public void GroupNorm(Tensor x, Tensor weight, Tensor bias, Tensor y, int groups, float epsilon, Activation activation = Activation.None) =>
        Count(nameof(GroupNorm), 8.0 * x.Shape.Count, (2 * Bytes(x)) + Bytes(weight) + Bytes(bias), Bytes(y));

    /// <inheritdoc/>
    public void QkNormRope(Tensor x, Tensor weight, Tensor cos, Tensor sin, Tensor y, int firstRow, Tensor rstd, int heads, float epsilon) =>
        Count(nameof(QkNormRope), 8.0 * x.Shape.Count, Bytes(x) + Bytes(weight) + RotaryBytes(x, cos), Bytes(x) + Bytes(rstd));

    /// <inheritdoc/>
    public void QkNormRopeBackward(Tensor dy, Tensor x, Tensor weight, Tensor cos, Tensor sin, Tensor rstd, int firstRow, Tensor dx, Tensor dweight, int heads) =>
        Count(nameof(QkNormRopeBackward), 16.0 * x.Shape.Count, (2 * Bytes(x)) + Bytes(weight) + RotaryBytes(x, cos) + Bytes(rstd) + Bytes(dweight), Bytes(dx) + Bytes(dweight));

    /// <inheritdoc/>
    public void GateResidual(Tensor residual, Tensor branch, Tensor gate, Tensor y) =>
        Count(nameof(GateResidual), 2.0 * residual.Shape.Count, Bytes(residual) + Bytes(branch) + Bytes(gate), Bytes(y));

    /// <inheritdoc/>
    public void GateResidualBackward(Tensor dy, Tensor branch, Tensor gate, Tensor dbranch, Tensor dgate) =>
        Count(nameof(GateResidualBackward), 3.0 * dy.Shape.Count, Bytes(dy) + (dgate.IsNone ? 0 : Bytes(branch)) + Bytes(gate) + Bytes(dgate), Bytes(dbranch) + Bytes(dgate));

    /// <inheritdoc/>
    public void Embedding(Tensor ids, Tensor table, Tensor positions, Tensor y) => Count(nameof(Embedding), positions.IsNone ? 0 : y.Shape.Count, Bytes(ids) + Bytes(y) + Bytes(positions), Bytes(y));

    /// <inheritdoc/>
    public void EmbeddingBackward(Tensor dy, Tensor ids, Tensor dtable, Tensor dpositions)
    {
        // No more rows of the table are touched than there are ids.
        double touched = dtable.IsNone ? 0 : Math.Min(Bytes(dtable), (double)dy.Shape.Count * dtable.Type.Size());
        Count(nameof(EmbeddingBackward), 2.0 * dy.Shape.Count, Bytes(dy) + Bytes(ids) + touched + Bytes(dpositions), touched + Bytes(dpositions));
    }

    /// <inheritdoc/>
    public void SpaceToDepth(Tensor x, Tensor y) => Count(nameof(SpaceToDepth), 0, Bytes(x), Bytes(y));

    /// <inheritdoc/>
    public void DepthToSpace(Tensor x, Tensor y) => Count(nameof(DepthToSpace), 0, Bytes(x), Bytes(y));

    /// <inheritdoc/>
    public void TransposeTokens(Tensor x, Tensor y) => Count(nameof(TransposeTokens), 0, Bytes(x), Bytes(y));

    /// <inheritdoc/>
    public void CopyTokens(Tensor x, int xFirst, Tensor y, int yFirst, int count, bool accumulate = false)
    {
        double bytes = (double)x.Shape[0] * count * x.Columns * x.Type.Size();
        Count(nameof(CopyTokens), accumulate ? bytes / x.Type.Size() : 0, accumulate ? 2 * bytes : bytes, bytes);
    }

    /// <inheritdoc/>
    public void GatherRows(Tensor x, Tensor rows, Tensor y) => Count(nameof(GatherRows), 0, Bytes(y) + Bytes(rows), Bytes(y));

    /// <inheritdoc/>
    public void GatherRowsBackward(Tensor dy, Tensor rows, Tensor dx, bool accumulate) =>
        Count(nameof(GatherRowsBackward), accumulate ? dy.Shape.Count : 0, Bytes(dy) + Bytes(rows) + (accumulate ? Bytes(dy) : 0), accumulate ? Bytes(dy) : Bytes(dx));

    /// <inheritdoc/>
    public void DepthwiseConv(Tensor x, Tensor weight, Tensor bias, Tensor y) => Count(nameof(DepthwiseConv), 18.0 * y.Shape.Count, Bytes(x) + Bytes(weight) + Bytes(bias), Bytes(y));

    /// <inheritdoc/>
    public void DepthwiseConvBackward(Tensor dy, Tensor x, Tensor weight, Tensor dx, Tensor dweight, Tensor dbias) =>
        Count(nameof(DepthwiseConvBackward), 36.0 * dy.Shape.Count, Bytes(dy) + Bytes(x) + Bytes(weight) + Bytes(dweight) + Bytes(dbias), Bytes(dx) + Bytes(dweight) + Bytes(dbias));

    /// <inheritdoc/>
    public void Conv3x3(Tensor x, Tensor weight, Tensor bias, Tensor y, ConvForm form, Tensor residual = default) =>
        Count(nameof(Conv3x3), (form == ConvForm.Doubled ? 8.0 : 18.0) * x.Columns * y.Shape.Count, Bytes(x) + Bytes(weight) + Bytes(bias) + Bytes(residual), Bytes(y));

    /// <inheritdoc/>
    public void NearestCode(Tensor x, Tensor codebook, Tensor codes) =>
        Count(nameof(NearestCode), 3.0 * x.Shape.Count * codebook.Rows, Bytes(x) + Bytes(codebook), Bytes(codes));

    /// <inheritdoc/>
    public void AreaMean(Tensor x, Tensor y) => Count(nameof(AreaMean), x.Shape.Count, Bytes(x), Bytes(y));

    /// <inheritdoc/>
    public void AreaMeanBackward(Tensor dy, Tensor dx) => Count(nameof(AreaMeanBackward), dx.Shape.Count, Bytes(dy), Bytes(dx));

    /// <inheritdoc/>
    public void Sinusoid(Tensor values, Tensor frequencies, Tensor y) => Count(nameof(Sinusoid), 30.0 * y.Shape.Count, Bytes(values) + Bytes(frequencies), Bytes(y));

    /// <inheritdoc/>
    public void CrossEntropy(Tensor logits, Tensor labels, float weight, Tensor loss, Tensor dlogits) =>
        Count(nameof(CrossEntropy), 20.0 * logits.Shape.Count, Bytes(logits) + Bytes(labels), Bytes(loss) + Bytes(dlogits));

    /// <inheritdoc/>
    public void GuidedSample(Tensor conditional, Tensor unconditional, in GuidedRows rows, NoiseAddress noise)
    {
        double codes = (double)rows.Rows.Shape.Count * conditional.Columns;
        double branches = unconditional.IsNone ? 1 : 2;
        Count(nameof(GuidedSample), 150 * codes, (branches * codes * sizeof(float)) + Bytes(rows.Rows), 12.0 * rows.Rows.Shape.Count);
    }

    /// <inheritdoc/>
    public void HeadSample(Tensor conditional, Tensor unconditional, Tensor head, in GuidedRows rows, NoiseAddress noise)
    {
        double count = rows.Rows.Shape.Count;
        double branches = unconditional.IsNone ? 1 : 2;
        Count(nameof(HeadSample), (2 * branches * count * head.Shape.Count) + (150 * count * head.Rows), (branches * count * head.Columns * conditional.Type.Size()) + Bytes(head) + Bytes(rows.Rows),
            12 * count);
    }

    /// <inheritdoc/>
    public void Remask(in RemaskOperands operands, NoiseAddress noise, int steps, CountRule rule, int maskToken) =>
        Count(nameof(Remask), 80.0 * operands.Canvas.Shape.Count, Bytes(operands.Canvas) + Bytes(operands.Candidates) + Bytes(operands.Confidence) + Bytes(operands.LogProb),
            Bytes(operands.Canvas) + Bytes(operands.DecodedStep) + Bytes(operands.DecodedLogProb));

    /// <inheritdoc/>
    public void MaskedRows(Tensor canvas, int maskToken, Tensor rows, Tensor count, Tensor masked, Tensor fractions) =>
        Count(nameof(MaskedRows), canvas.Shape.Count, Bytes(canvas), Bytes(rows) + Bytes(masked) + Bytes(fractions));

    /// <inheritdoc/>
    public void HeadRows(Tensor rows, in HeadGrid grid, Tensor tokens, Tensor tokenCount, Tensor codes) =>
        Count(nameof(HeadRows), rows.Shape.Count, Bytes(rows), Bytes(tokens) + Bytes(codes));

    /// <inheritdoc/>
    public void ScheduleActions(Tensor delta, Tensor exploration, int trained, in ScheduleLink link, Tensor state, Tensor means, Tensor raw, Tensor actions, Tensor clampHits) =>
        Count(nameof(ScheduleActions), 200.0 * delta.Rows, Bytes(delta) + Bytes(exploration) + Bytes(state), Bytes(state) + Bytes(means) + Bytes(raw) + Bytes(actions));

    /// <inheritdoc/>
    public void LogProbGather(Tensor conditional, Tensor unconditional, Tensor guidance, Tensor temperature, Tensor tokens, Tensor logProb, Tensor confidence, Tensor entropy, Tensor logSumExp) =>
        Count(nameof(LogProbGather), 40.0 * conditional.Shape.Count, Bytes(conditional) + Bytes(unconditional) + Bytes(guidance) + Bytes(temperature) + Bytes(tokens),
            Bytes(logProb) + Bytes(confidence) + Bytes(entropy) + Bytes(logSumExp));

    /// <inheritdoc/>
    public void LogProbGatherBackward(Tensor upstream, Tensor conditional, Tensor unconditional, Tensor guidance, Tensor temperature, Tensor tokens, Tensor logSumExp, Tensor dconditional,
        Tensor dunconditional) =>
        Count(nameof(LogProbGatherBackward), 25.0 * conditional.Shape.Count, Bytes(conditional) + Bytes(unconditional) + Bytes(upstream), Bytes(dconditional) + Bytes(dunconditional));

    /// <inheritdoc/>
    public void ClippedObjective(in ClippedObjectiveOperands operands, in ClippedSurrogate surrogate, double normalizer, double klWeight) =>
        Count(nameof(ClippedObjective), 4.0 * operands.LogProb.Shape.Count, Bytes(operands.LogProb) + Bytes(operands.OldLogProb) + Bytes(operands.ReferenceLogProb), Bytes(operands.Upstream));

    /// <inheritdoc/>
    public void AdamW(in AdamWOperands operands, in AdamWStep step)
    {
        double run = Bytes(operands.Parameter);
        Count(nameof(AdamW), 15.0 * operands.Parameter.Shape.Count, (4 * run) + Bytes(operands.Average) + Bytes(operands.Decays), (4 * run) + Bytes(operands.Compute) + Bytes(operands.Average));
    }

    /// <inheritdoc/>
    public void SquaredNorm(Tensor x, Tensor sum, bool accumulate = false) => Count(nameof(SquaredNorm), 2.0 * x.Shape.Count, Bytes(x), Bytes(sum));

    /// <summary>Operations of one of the products q k^T or p v.</summary>
    private static double AttentionProducts(Tensor q, Tensor k, bool causal) =>
        2.0 * q.Shape[0] * q.Shape[1] * k.Shape[1] * q.Columns * (causal ? 0.5 + (0.5 / q.Shape[1]) : 1);

    /// <summary>The rows of both tables that L tokens use, once.</summary>
    private static double RotaryBytes(Tensor x, Tensor cos) => 2.0 * x.Shape[1] * cos.Columns * cos.Type.Size();
}
