using CoGrpo.Runtime.Backends.Cuda;
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
        Count(
            nameof(Add),
            (b.IsNone ? 0 : Elements(a)) + (accumulate ? Elements(a) : 0),
            Bytes(a) + Bytes(b) + (accumulate ? Bytes(y) : 0),
            Bytes(y)
        );

    /// <inheritdoc/>
    public void Scale(Tensor x, float factor, Tensor y) => Count(nameof(Scale), Elements(x), Bytes(x), Bytes(y));

    /// <inheritdoc/>
    public void Linear(
        Tensor x,
        Tensor weight,
        Tensor bias,
        Tensor y,
        WeightLayout layout = WeightLayout.OutIn,
        Activation activation = Activation.None,
        Tensor preActivation = default,
        Tensor residual = default,
        Tensor gate = default
    ) =>
        CountProducts(
            nameof(Linear),
            weight,
            2.0 * Elements(x) * y.Columns,
            0,
            Bytes(x) + Bytes(weight) + Bytes(bias) + Bytes(residual) + Bytes(gate),
            Bytes(y) + Bytes(preActivation)
        );

    /// <inheritdoc/>
    public void LinearBackwardInput(Tensor dy, Tensor weight, Tensor dx, WeightLayout layout, bool accumulate) =>
        CountProducts(
            nameof(LinearBackwardInput),
            weight,
            2.0 * Elements(dy) * dx.Columns,
            0,
            Bytes(dy) + Bytes(weight) + (accumulate ? Bytes(dx) : 0),
            Bytes(dx)
        );

    /// <inheritdoc/>
    public void LinearBackwardWeight(Tensor dy, Tensor x, Tensor dweight, Tensor dbias, WeightLayout layout)
    {
        if (!dweight.IsNone)
        {
            TakeWorkspace(
                layout == WeightLayout.OutIn
                    ? CudaBackend.WeightGradientWorkspace(dy.Columns, x.Columns, dy.Rows)
                    : CudaBackend.WeightGradientWorkspace(x.Columns, dy.Columns, dy.Rows)
            );
        }
        
        if (!dbias.IsNone)
        {
            TakeWorkspace(CudaBackend.BiasGradientWorkspace(dy));
        }
        
        CountProducts(nameof(LinearBackwardWeight), x, dweight.IsNone ? 0 : 2.0 * Elements(dy) * x.Columns, dbias.IsNone ? 0 : Elements(dy),
            Bytes(dy) + (dweight.IsNone ? 0 : Bytes(x)) + Bytes(dweight) + Bytes(dbias), Bytes(dweight) + Bytes(dbias));
    }

    /// <inheritdoc/>
    public void Activate(Tensor x, Tensor y, Activation activation) => Count(nameof(Activate), 15.0 * Elements(x), Bytes(x), Bytes(y));

    /// <inheritdoc/>
    public void ActivateBackward(Tensor dy, Tensor x, Tensor dx, Activation activation, bool accumulate = false) =>
        Count(nameof(ActivateBackward), 25.0 * Elements(x), Bytes(dy) + Bytes(x) + (accumulate ? Bytes(dx) : 0), Bytes(dx));

    /// <inheritdoc/>
    public void Attention(Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, int heads, bool causal) =>
        CountProducts(nameof(Attention), k, AttentionProducts(q, k, causal) * 2, 0, Bytes(q) + Bytes(k) + Bytes(v), Bytes(o) + Bytes(logSumExp));

    /// <inheritdoc/>
    public void AttentionBackward(
        Tensor dO,
        Tensor q,
        Tensor k,
        Tensor v,
        Tensor o,
        Tensor logSumExp,
        Tensor dq,
        Tensor dk,
        Tensor dv,
        int heads,
        bool causal
    )
    {
        TakeWorkspace(CudaBackend.AttentionBackwardWorkspace(q, heads));
        CountProducts(
            nameof(AttentionBackward),
            k,
            AttentionProducts(q, k, causal) * 5,
            0,
            Bytes(dO) + Bytes(q) + Bytes(k) + Bytes(v) + Bytes(o) + Bytes(logSumExp),
            Bytes(dq) + Bytes(dk) + Bytes(dv)
        );
    }

    /// <inheritdoc/>
    public void AdaLn(Tensor x, Tensor shift, Tensor scale, Tensor y, Tensor stats, float epsilon) =>
        Count(nameof(AdaLn), 8.0 * Elements(x), Bytes(x) + Bytes(shift) + Bytes(scale), Bytes(y) + Bytes(stats));

    /// <inheritdoc/>
    public void AdaLnBackward(Tensor dy, Tensor x, Tensor scale, Tensor stats, Tensor dx, bool accumulate, Tensor dshift, Tensor dscale)
    {
        TakeWorkspace(dshift.IsNone && dscale.IsNone ? 0 : CudaBackend.LayerNormBackwardWorkspace(x, x.Rows / scale.Rows));
        Count(
            nameof(AdaLnBackward),
            14.0 * Elements(x),
            Bytes(dy) + Bytes(x) + Bytes(scale) + Bytes(stats) + (accumulate ? Bytes(dx) : 0) + Bytes(dshift) + Bytes(dscale),
            Bytes(dx) + Bytes(dshift) + Bytes(dscale)
        );
    }

    /// <inheritdoc/>
    public void RmsNorm(Tensor x, Tensor weight, Tensor y, Tensor rstd, float epsilon) =>
        Count(nameof(RmsNorm), 4.0 * Elements(x), Bytes(x) + Bytes(weight), Bytes(y) + Bytes(rstd));

    /// <inheritdoc/>
    public void RmsNormBackward(Tensor dy, Tensor x, Tensor weight, Tensor rstd, Tensor dx, bool accumulate, Tensor dweight)
    {
        TakeWorkspace(dweight.IsNone ? 0 : CudaBackend.RmsNormBackwardWorkspace(x));
        Count(
            nameof(RmsNormBackward),
            10.0 * Elements(x),
            Bytes(dy) + Bytes(x) + Bytes(weight) + Bytes(rstd) + (accumulate ? Bytes(dx) : 0) + Bytes(dweight),
            Bytes(dx) + Bytes(dweight)
        );
    }

    /// <inheritdoc/>
    public void LayerNorm(Tensor x, Tensor weight, Tensor bias, Tensor y, Tensor stats, float epsilon) =>
        Count(nameof(LayerNorm), 8.0 * Elements(x), Bytes(x) + Bytes(weight) + Bytes(bias), Bytes(y) + Bytes(stats));

    /// <inheritdoc/>
    public void LayerNormBackward(Tensor dy, Tensor x, Tensor weight, Tensor stats, Tensor dx, bool accumulate, Tensor dweight, Tensor dbias)
    {
        TakeWorkspace(dweight.IsNone && dbias.IsNone ? 0 : CudaBackend.LayerNormBackwardWorkspace(x, x.Rows));
        Count(
            nameof(LayerNormBackward),
            14.0 * Elements(x),
            Bytes(dy) + Bytes(x) + Bytes(weight) + Bytes(stats) + (accumulate ? Bytes(dx) : 0) + Bytes(dweight) + Bytes(dbias),
            Bytes(dx) + Bytes(dweight) + Bytes(dbias)
        );
    }

    /// <inheritdoc/>
    public void GroupNorm(Tensor x, Tensor weight, Tensor bias, Tensor y, int groups, float epsilon, Activation activation = Activation.None)
    {
        TakeWorkspace(CudaBackend.GroupNormWorkspace(x, groups));
        Count(nameof(GroupNorm), 8.0 * Elements(x), (2 * Bytes(x)) + Bytes(weight) + Bytes(bias), Bytes(y));
    }

    /// <inheritdoc/>
    public void QkNormRope(Tensor x, Tensor weight, Tensor cos, Tensor sin, Tensor y, int firstRow, Tensor rstd, int heads, float epsilon) =>
        Count(nameof(QkNormRope), 8.0 * Elements(x), Bytes(x) + Bytes(weight) + RotaryBytes(x, cos), Bytes(x) + Bytes(rstd));

    /// <inheritdoc/>
    public void QkNormRopeBackward(
        Tensor dy,
        Tensor x,
        Tensor weight,
        Tensor cos,
        Tensor sin,
        Tensor rstd,
        int firstRow,
        Tensor dx,
        Tensor dweight,
        int heads
    )
    {
        TakeWorkspace(dweight.IsNone ? 0 : CudaBackend.QkNormRopeBackwardWorkspace(x, heads));
        Count(
            nameof(QkNormRopeBackward),
            16.0 * Elements(x),
            (2 * Bytes(x)) + Bytes(weight) + RotaryBytes(x, cos) + Bytes(rstd) + Bytes(dweight),
            Bytes(dx) + Bytes(dweight)
        );
    }

    /// <inheritdoc/>
    public void GateResidual(Tensor residual, Tensor branch, Tensor gate, Tensor y) =>
        Count(nameof(GateResidual), 2.0 * Elements(residual), Bytes(residual) + Bytes(branch) + Bytes(gate), Bytes(y));

    /// <inheritdoc/>
    public void GateResidualBackward(Tensor dy, Tensor branch, Tensor gate, Tensor dbranch, Tensor dgate)
    {
        TakeWorkspace(gate.IsNone ? 0 : CudaBackend.GateResidualBackwardWorkspace(dy, gate));
        Count(
            nameof(GateResidualBackward),
            3.0 * Elements(dy),
            Bytes(dy) + (dgate.IsNone ? 0 : Bytes(branch)) + Bytes(gate) + Bytes(dgate),
            Bytes(dbranch) + Bytes(dgate)
        );
    }

    /// <inheritdoc/>
    public void Embedding(Tensor ids, Tensor table, Tensor positions, Tensor y) =>
        Count(nameof(Embedding), positions.IsNone ? 0 : Elements(y), Bytes(ids) + Bytes(y) + Bytes(positions), Bytes(y));

    /// <inheritdoc/>
    public void EmbeddingBackward(Tensor dy, Tensor ids, Tensor dtable, Tensor dpositions)
    {
        TakeWorkspace(dtable.IsNone ? 0 : CudaBackend.EmbeddingBackwardWorkspace(dy, dtable));

        // No more rows of the table are touched than there are ids.
        double touched = dtable.IsNone ? 0 : Math.Min(Bytes(dtable), Elements(dy) * dtable.Type.Size());
        Count(nameof(EmbeddingBackward), 2.0 * Elements(dy), Bytes(dy) + Bytes(ids) + touched + Bytes(dpositions), touched + Bytes(dpositions));
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
    public void GatherRowsBackward(Tensor dy, Tensor rows, Tensor dx, bool accumulate)
    {
        TakeWorkspace(accumulate ? 0 : CudaBackend.GatherRowsBackwardWorkspace(dx));
        Count(
            nameof(GatherRowsBackward),
            accumulate ? Elements(dy) : 0,
            Bytes(dy) + Bytes(rows) + (accumulate ? Bytes(dy) : 0),
            accumulate ? Bytes(dy) : Bytes(dx)
        );
    }

    /// <inheritdoc/>
    public void DepthwiseConv(Tensor x, Tensor weight, Tensor bias, Tensor y) =>
        Count(nameof(DepthwiseConv), 18.0 * Elements(y), Bytes(x) + Bytes(weight) + Bytes(bias), Bytes(y));

    /// <inheritdoc/>
    public void DepthwiseConvBackward(Tensor dy, Tensor x, Tensor weight, Tensor dx, Tensor dweight, Tensor dbias)
    {
        TakeWorkspace(CudaBackend.DepthwiseConvBackwardWorkspace(dy, x, dx));
        Count(
            nameof(DepthwiseConvBackward),
            36.0 * Elements(dy),
            Bytes(dy) + Bytes(x) + Bytes(weight) + Bytes(dweight) + Bytes(dbias),
            Bytes(dx) + Bytes(dweight) + Bytes(dbias)
        );
    }

    /// <inheritdoc/>
    public void Conv3x3(Tensor x, Tensor weight, Tensor bias, Tensor y, ConvForm form, Tensor residual = default)
    {
        TakeWorkspace(form == ConvForm.Doubled ? CudaBackend.Conv3x3Workspace(weight, y.Columns, x.Columns) : 0);
        CountProducts(
            nameof(Conv3x3),
            weight,
            (form == ConvForm.Doubled ? 8.0 : 18.0) * x.Columns * Elements(y),
            0,
            Bytes(x) + Bytes(weight) + Bytes(bias) + Bytes(residual),
            Bytes(y)
        );
    }

    /// <inheritdoc/>
    public void NearestCode(Tensor x, Tensor codebook, Tensor codes)
    {
        TakeWorkspace(CudaBackend.NearestCodeWorkspace(x.Rows, codebook.Rows));
        Count(nameof(NearestCode), 3.0 * Elements(x) * codebook.Rows, Bytes(x) + Bytes(codebook), Bytes(codes));
    }

    /// <inheritdoc/>
    public void AreaMean(Tensor x, Tensor y) => Count(nameof(AreaMean), Elements(x), Bytes(x), Bytes(y));

    /// <inheritdoc/>
    public void AreaMeanBackward(Tensor dy, Tensor dx) => Count(nameof(AreaMeanBackward), Elements(dx), Bytes(dy), Bytes(dx));

    /// <inheritdoc/>
    public void Sinusoid(Tensor values, Tensor frequencies, Tensor y) =>
        Count(nameof(Sinusoid), 30.0 * Elements(y), Bytes(values) + Bytes(frequencies), Bytes(y));

    /// <inheritdoc/>
    public void CrossEntropy(Tensor logits, Tensor labels, float weight, Tensor loss, Tensor dlogits) =>
        Count(nameof(CrossEntropy), 20.0 * Elements(logits), Bytes(logits) + Bytes(labels), Bytes(loss) + Bytes(dlogits));

    /// <inheritdoc/>
    public void GuidedSample(Tensor conditional, Tensor unconditional, in GuidedRows rows, NoiseAddress noise)
    {
        double codes = Elements(rows.Rows) * conditional.Columns;
        double branches = unconditional.IsNone ? 1 : 2;
        Count(nameof(GuidedSample), 150 * codes, (branches * codes * sizeof(float)) + Bytes(rows.Rows), 12.0 * Elements(rows.Rows));
    }

    /// <inheritdoc/>
    public void HeadSample(Tensor conditional, Tensor unconditional, Tensor head, in GuidedRows rows, NoiseAddress noise)
    {
        TakeWorkspace(CudaBackend.HeadSampleWorkspace(rows.Rows, head));
        double count = Elements(rows.Rows);
        double branches = unconditional.IsNone ? 1 : 2;
        CountProducts(
            nameof(HeadSample),
            head,
            2 * branches * count * Elements(head),
            150 * count * head.Rows,
            (branches * count * head.Columns * conditional.Type.Size()) + Bytes(head) + Bytes(rows.Rows),
            12 * count
        );
    }

    /// <inheritdoc/>
    public void Remask(in RemaskOperands operands, NoiseAddress noise, int steps, CountRule rule, int maskToken)
    {
        Count(
            nameof(Remask),
            80.0 * Elements(operands.Canvas),
            Bytes(operands.Canvas) + Bytes(operands.Candidates) + Bytes(operands.Confidence) + Bytes(operands.LogProb),
            Bytes(operands.Canvas) + Bytes(operands.DecodedStep) + Bytes(operands.DecodedLogProb)
        );
        if (Decoding is { } schedule)
        {
            int codes = operands.Canvas.Columns;
            _masked[operands.Canvas.Address] = RemaskCount.Of(
                codes,
                schedule.At(noise.Step, steps).Remask,
                Masked(operands.Canvas, codes),
                noise.Step,
                steps
            );
        }
    }

    /// <inheritdoc/>
    public void MaskedRows(Tensor canvas, int maskToken, Tensor rows, Tensor count, Tensor masked, Tensor fractions)
    {
        _live[count.Address] = canvas.Rows * Masked(canvas, canvas.Columns);
        Count(nameof(MaskedRows), Elements(canvas), Bytes(canvas), Bytes(rows.WithLiveRows(count)) + Bytes(masked) + Bytes(fractions));
    }

    /// <inheritdoc/>
    public void HeadRows(Tensor rows, in HeadGrid grid, Tensor tokens, Tensor tokenCount, Tensor codes)
    {
        TakeWorkspace(grid.Upsample ? CudaBackend.HeadRowsWorkspace(grid) : 0);

        // As if no two of the codes shared a token.
        _live[tokenCount.Address] = Math.Min((int)Elements(rows), (int)tokens.Shape.Count);
        Count(nameof(HeadRows), Elements(rows), Bytes(rows), Bytes(tokens.WithLiveRows(tokenCount)) + (codes.IsNone ? 0 : Bytes(rows)));
    }

    /// <inheritdoc/>
    public void ScheduleActions(
        Tensor delta,
        Tensor exploration,
        int trained,
        in ScheduleLink link,
        Tensor state,
        Tensor means,
        Tensor raw,
        Tensor actions,
        Tensor clampHits
    ) =>
        Count(
            nameof(ScheduleActions),
            200.0 * delta.Rows,
            Bytes(delta) + Bytes(exploration) + Bytes(state),
            Bytes(state) + Bytes(means) + Bytes(raw) + Bytes(actions)
        );

    /// <inheritdoc/>
    public void LogProbGather(
        Tensor conditional,
        Tensor unconditional,
        Tensor guidance,
        Tensor temperature,
        Tensor tokens,
        Tensor logProb,
        Tensor confidence,
        Tensor entropy,
        Tensor logSumExp
    ) =>
        Count(
            nameof(LogProbGather),
            40.0 * Elements(conditional),
            Bytes(conditional) + Bytes(unconditional) + Bytes(guidance) + Bytes(temperature) + Bytes(tokens),
            Bytes(logProb) + Bytes(confidence) + Bytes(entropy) + Bytes(logSumExp)
        );

    /// <inheritdoc/>
    public void LogProbGatherBackward(
        Tensor upstream,
        Tensor conditional,
        Tensor unconditional,
        Tensor guidance,
        Tensor temperature,
        Tensor tokens,
        Tensor logSumExp,
        Tensor dconditional,
        Tensor dunconditional
    ) =>
        Count(
            nameof(LogProbGatherBackward),
            25.0 * Elements(conditional),
            Bytes(conditional) + Bytes(unconditional) + Bytes(upstream),
            Bytes(dconditional) + Bytes(dunconditional)
        );

    /// <inheritdoc/>
    public void ClippedObjective(in ClippedObjectiveOperands operands, in ClippedSurrogate surrogate, double normalizer, double klWeight) =>
        Count(
            nameof(ClippedObjective),
            4.0 * Elements(operands.LogProb),
            Bytes(operands.LogProb) + Bytes(operands.OldLogProb) + Bytes(operands.ReferenceLogProb),
            Bytes(operands.Upstream)
        );

    /// <inheritdoc/>
    public void AdamW(in AdamWOperands operands, in AdamWStep step)
    {
        double run = Bytes(operands.Parameter);
        Count(
            nameof(AdamW),
            15.0 * Elements(operands.Parameter),
            (4 * run) + Bytes(operands.Average) + Bytes(operands.Decays),
            (4 * run) + Bytes(operands.Compute) + Bytes(operands.Average)
        );
    }

    /// <inheritdoc/>
    public void SquaredNorm(Tensor x, Tensor sum, bool accumulate = false)
    {
        TakeWorkspace(CudaBackend.SquaredNormWorkspace(x.Shape.Count));
        Count(nameof(SquaredNorm), 2.0 * Elements(x), Bytes(x), Bytes(sum));
    }

    /// <summary>Operations of one of the products q k^T or p v.</summary>
    private static double AttentionProducts(Tensor q, Tensor k, bool causal) =>
        2.0 * q.Shape[0] * q.Shape[1] * k.Shape[1] * q.Columns * (causal ? 0.5 + (0.5 / q.Shape[1]) : 1);

    /// <summary>The rows of both tables that L tokens use, once.</summary>
    private static double RotaryBytes(Tensor x, Tensor cos) => 2.0 * x.Shape[1] * cos.Columns * cos.Type.Size();
}
