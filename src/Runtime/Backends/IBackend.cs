using CoGrpo.Runtime.Optimization;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Runtime.Backends;

/// <summary>
/// The operation set every device implements with the same names and the same numbers. Conventions: B images, S tokens, C channels,
/// H heads, D head width, M rows, V codes. Tensors are fp32 unless an argument says otherwise. A tensor of rank 3 [B,S,C] is also
/// the matrix [B*S,C]. Activation gradients are overwritten unless an <c>accumulate</c> argument says otherwise; gradients of
/// parameters and of per-image vectors (shift, scale, gate) are always accumulated. Row i of a result has the same bits at any
/// number of rows and threads. Launchers validate shapes and throw <see cref="TensorException"/>; kernels trust.
/// </summary>
public interface IBackend : IDisposable
{
    /// <summary>Short name of the device: <c>cpu</c>, <c>cuda</c>, <c>plan</c>.</summary>
    string Name { get; }

    /// <summary>
    /// Element type in which networks on this device keep activations and the weights they compute with: Float32, or BFloat16 beside fp32 master
    /// weights.
    /// </summary>
    ElementType Storage { get; }

    /// <summary>What the arenas of this backend hold.</summary>
    MemoryLedger Memory { get; }

    /// <summary>An empty arena in this device's memory.</summary>
    /// <param name="name">What it is for: parameters, gradients, optimizer, activations.</param>
    /// <param name="blockBytes">Size of the blocks it grows by.</param>
    Arena CreateArena(string name, long blockBytes);

    /// <summary>Copies host values into a contiguous device tensor of the same count and size of element.</summary>
    void Upload<T>(ReadOnlySpan<T> source, Tensor destination)
        where T : unmanaged;

    /// <summary>Copies a contiguous device tensor into host memory; returns when the values are there.</summary>
    void Download<T>(Tensor source, Span<T> destination)
        where T : unmanaged;

    /// <summary>x := value.</summary>
    void Fill(Tensor x, float value);

    /// <summary>
    /// y := x, same rows and columns; either may be strided. Of one element type, or Float32 and BFloat16: then values are rounded to nearest
    /// even. <see cref="Tensor.LiveRows"/> of x is honoured.
    /// </summary>
    void Copy(Tensor x, Tensor y);

    /// <summary>
    /// y := a + b, or y := y + a + b when <paramref name="accumulate"/>; y may be a or b. Same rows and columns, strides allowed. A none
    /// <paramref name="b"/> is zero.
    /// </summary>
    void Add(Tensor a, Tensor b, Tensor y, bool accumulate = false);

    /// <summary>y := factor · x, contiguous; y may be x.</summary>
    void Scale(Tensor x, float factor, Tensor y);

    /// <summary>
    /// Matrix product with fused epilogue: p = x W^T + bias (or x W for <see cref="WeightLayout.InOut"/>), a = activation(p),
    /// y = residual + gate ⊙ a when both are given, gate ⊙ a or residual + a when one is, else a.
    /// </summary>
    /// <param name="x">[M,K], row stride allowed; <see cref="Tensor.LiveRows"/> is honoured.</param>
    /// <param name="weight">[N,K] for OutIn, [K,N] for InOut; contiguous.</param>
    /// <param name="bias">[N] or none.</param>
    /// <param name="y">[M,N], row stride allowed; may be <paramref name="residual"/> itself.</param>
    /// <param name="layout">Layout of the weight.</param>
    /// <param name="activation">Applied to the biased product.</param>
    /// <param name="preActivation">None, or [M,N] that receives p for the backward pass.</param>
    /// <param name="residual">None, or [M,N].</param>
    /// <param name="gate">None, or [B,N] (row stride allowed) with M a multiple of B: row m uses gate row m / (M/B).</param>
    void Linear(Tensor x, Tensor weight, Tensor bias, Tensor y, WeightLayout layout = WeightLayout.OutIn, Activation activation = Activation.None,
        Tensor preActivation = default, Tensor residual = default, Tensor gate = default);

    /// <summary>dx := dy W (OutIn) or dy W^T (InOut); added to dx when <paramref name="accumulate"/>. Row strides allowed on dy and dx.</summary>
    void LinearBackwardInput(Tensor dy, Tensor weight, Tensor dx, WeightLayout layout, bool accumulate);

    /// <summary>
    /// dweight += dy^T x (OutIn, [N,K]) or x^T dy (InOut, [K,N]); dbias += column sums of dy. Either may be none. Row strides allowed on dy and x.
    /// </summary>
    void LinearBackwardWeight(Tensor dy, Tensor x, Tensor dweight, Tensor dbias, WeightLayout layout);

    /// <summary>y := activation(x), same shape.</summary>
    void Activate(Tensor x, Tensor y, Activation activation);

    /// <summary>dx := dy ⊙ activation'(x), added when <paramref name="accumulate"/>; dx may be dy.</summary>
    void ActivateBackward(Tensor dy, Tensor x, Tensor dx, Activation activation, bool accumulate = false);

    /// <summary>
    /// o = softmax(q k^T / sqrt(D)) v per head, scores never stored. q and o [B,Sq,H*D], k and v [B,Skv,H*D], head-major channels
    /// (channel = head*D + d), row strides allowed. Causal: query i sees keys 0..i (Sq = Skv).
    /// </summary>
    /// <param name="q">Queries.</param>
    /// <param name="k">Keys.</param>
    /// <param name="v">Values.</param>
    /// <param name="o">Output.</param>
    /// <param name="logSumExp">[B,H,Sq], saved for backward; may be none when no gradient follows.</param>
    /// <param name="heads">H.</param>
    /// <param name="causal">Whether later keys are hidden.</param>
    void Attention(Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, int heads, bool causal);

    /// <summary>Gradients of <see cref="Attention"/>; dq, dk, dv are overwritten. Scores are recomputed from <paramref name="logSumExp"/>.</summary>
    void AttentionBackward(
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
    );

    /// <summary>
    /// AdaLN modulate: y = LN(x) ⊙ (1 + scale) + shift with LN over C without affine. x and y [B,S,C]; shift and scale [B,C], row
    /// stride allowed (views of one modulation vector); stats [B*S,2] receives mean and 1/std.
    /// </summary>
    void AdaLn(Tensor x, Tensor shift, Tensor scale, Tensor y, Tensor stats, float epsilon);

    /// <summary>
    /// Gradients of <see cref="AdaLn"/>: dx overwritten or accumulated, dshift and dscale [B,C] accumulated, in fp32 as every sum over rows is.
    /// </summary>
    void AdaLnBackward(Tensor dy, Tensor x, Tensor scale, Tensor stats, Tensor dx, bool accumulate, Tensor dshift, Tensor dscale);

    /// <summary>
    /// y = x ⊙ w / sqrt(mean(x²) + eps) over the fastest dimension; weight [C]; rstd [M]. <see cref="Tensor.LiveRows"/> of x is honoured.
    /// </summary>
    void RmsNorm(Tensor x, Tensor weight, Tensor y, Tensor rstd, float epsilon);

    /// <summary>Gradients of <see cref="RmsNorm"/>: dx overwritten or accumulated, dweight accumulated (none allowed).</summary>
    void RmsNormBackward(Tensor dy, Tensor x, Tensor weight, Tensor rstd, Tensor dx, bool accumulate, Tensor dweight);

    /// <summary>y = LN(x) ⊙ weight + bias over the fastest dimension; stats [M,2] receives mean and 1/std.</summary>
    void LayerNorm(Tensor x, Tensor weight, Tensor bias, Tensor y, Tensor stats, float epsilon);

    /// <summary>Gradients of <see cref="LayerNorm"/>: dx overwritten or accumulated, dweight and dbias accumulated (none allowed).</summary>
    void LayerNormBackward(Tensor dy, Tensor x, Tensor weight, Tensor stats, Tensor dx, bool accumulate, Tensor dweight, Tensor dbias);

    /// <summary>
    /// y = activation((x - mean) / sqrt(variance + eps) ⊙ weight + bias), mean and variance over all tokens of an image and the C / groups adjacent
    /// channels of a group. x and y [B,S,C] or [B,H,W,C], C at most 2048, row strides allowed, y may be x; weight and bias [C].
    /// </summary>
    void GroupNorm(Tensor x, Tensor weight, Tensor bias, Tensor y, int groups, float epsilon, Activation activation = Activation.None);

    /// <summary>
    /// RMS norm over each head followed by the rotary embedding with interleaved pairs (dims 2j, 2j+1 share angle j), written at token
    /// rows [firstRow, firstRow + L) of y: the concatenation of text and image tokens costs nothing extra.
    /// </summary>
    /// <param name="x">[B,L,H*D].</param>
    /// <param name="weight">[D].</param>
    /// <param name="cos">[S,D/2]; token row r of y uses row r.</param>
    /// <param name="sin">[S,D/2].</param>
    /// <param name="y">[B,S,H*D].</param>
    /// <param name="firstRow">First token row of y to write.</param>
    /// <param name="rstd">[B*L,H], saved for backward.</param>
    /// <param name="heads">H.</param>
    /// <param name="epsilon">Added to the mean square.</param>
    void QkNormRope(Tensor x, Tensor weight, Tensor cos, Tensor sin, Tensor y, int firstRow, Tensor rstd, int heads, float epsilon);

    /// <summary>
    /// Gradients of <see cref="QkNormRope"/> from dy [B,S,H*D], of which rows [firstRow, firstRow + L) are read: dx [B,L,H*D] overwritten, dweight
    /// [D] accumulated (none allowed).
    /// </summary>
    void QkNormRopeBackward(
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
    );

    /// <summary>
    /// y = residual + gate ⊙ branch; residual, branch, y [B,S,C], gate [B,C] (row stride allowed) or none for 1; y may be residual.
    /// </summary>
    void GateResidual(Tensor residual, Tensor branch, Tensor gate, Tensor y);

    /// <summary>
    /// dbranch := gate ⊙ dy (overwritten; may be none), dgate (fp32) += sum over tokens of dy ⊙ branch. The gradient of the residual is dy itself.
    /// </summary>
    void GateResidualBackward(Tensor dy, Tensor branch, Tensor gate, Tensor dbranch, Tensor dgate);

    /// <summary>y[b,l] = table[ids[b,l]] + positions[l]. ids Int32 [B,L] in [0, rows of table); positions [L,C] or none; y [B,L,C].</summary>
    void Embedding(Tensor ids, Tensor table, Tensor positions, Tensor y);

    /// <summary>dtable[ids] += dy in row order, dpositions += sum over b of dy; either may be none.</summary>
    void EmbeddingBackward(Tensor dy, Tensor ids, Tensor dtable, Tensor dpositions);

    /// <summary>
    /// x [B,H,W,C] to y [B,H/2,W/2,4C] with y channel = c*4 + 2*(row parity) + column parity, the column order of a 2x2 stride-2 convolution weight.
    /// </summary>
    void SpaceToDepth(Tensor x, Tensor y);

    /// <summary>
    /// Inverse of <see cref="SpaceToDepth"/>: x [B,h,w,4C] to y [B,2h,2w,C]. Each is the other's gradient. <see cref="Tensor.LiveRows"/> of x is
    /// honoured when w = 1.
    /// </summary>
    void DepthToSpace(Tensor x, Tensor y);

    /// <summary>y[b,c,n] = x[b,n,c]. Its own gradient with the roles of n and c exchanged.</summary>
    void TransposeTokens(Tensor x, Tensor y);

    /// <summary>
    /// Copies token rows: y[b, yFirst + i] := x[b, xFirst + i] for i in [0,count), added when <paramref name="accumulate"/>. x [B,Sx,C], y [B,Sy,C].
    /// Concatenation, split and the gradients of both.
    /// </summary>
    void CopyTokens(Tensor x, int xFirst, Tensor y, int yFirst, int count, bool accumulate = false);

    /// <summary>
    /// y[r] = x[rows[r]]; rows Int32 [R] in [0,M), distinct where a gradient follows; x [M,C], y [R,C]. <see cref="Tensor.LiveRows"/> of rows is
    /// honoured.
    /// </summary>
    void GatherRows(Tensor x, Tensor rows, Tensor y);

    /// <summary>dx := 0 (unless <paramref name="accumulate"/>), then dx[rows[r]] += dy[r].</summary>
    void GatherRowsBackward(Tensor dy, Tensor rows, Tensor dx, bool accumulate);

    /// <summary>Depthwise 3x3 convolution, stride 2, zero padding 1: x [B,H,W,C], weight [C,1,3,3], bias [C], y [B,ceil(H/2),ceil(W/2),C].</summary>
    void DepthwiseConv(Tensor x, Tensor weight, Tensor bias, Tensor y);

    /// <summary>Gradients of <see cref="DepthwiseConv"/>: dx overwritten (may be none), dweight and dbias accumulated.</summary>
    void DepthwiseConvBackward(Tensor dy, Tensor x, Tensor weight, Tensor dx, Tensor dweight, Tensor dbias);

    /// <summary>
    /// 3x3 convolution, channels last: y[b,i,j,o] = bias[o] + Σ over the nine taps and c of x[b,.,.,c] weight[o,tap,c] (+ residual[b,i,j,o]), taps
    /// and zero padding as <paramref name="form"/> says. <see cref="ConvForm.Doubled"/> never makes the enlarged map: the weights of taps that fall
    /// on one pixel are added first, in fp32 and rounded to the type of the weight, and an output takes 4 taps instead of 9.
    /// </summary>
    /// <param name="x">[B,H,W,C]; pixels may stand apart.</param>
    /// <param name="weight">[O,3,3,C], contiguous: the published [O,C,3,3] with the channels last.</param>
    /// <param name="bias">[O] or none.</param>
    /// <param name="y">[B,h,w,O], sizes by the form; pixels may stand apart; may be fp32 whatever x is.</param>
    /// <param name="form">Stride and padding.</param>
    /// <param name="residual">None, or [B,h,w,O]; y may be the residual itself.</param>
    void Conv3x3(Tensor x, Tensor weight, Tensor bias, Tensor y, ConvForm form, Tensor residual = default);

    /// <summary>
    /// codes[m] := the code nearest to x[m], by the sum of squared differences in fp32 in the order of the channels; the lower of two that are
    /// equally near. x [M,D] and codebook [V,D] fp32 in any storage, row strides allowed; codes Int32 [M], some code where a vector is not finite.
    /// </summary>
    void NearestCode(Tensor x, Tensor codebook, Tensor codes);

    /// <summary>Mean over equal blocks: x [B,H,W,C] to y [B,h,w,C] with H a multiple of h and W of w.</summary>
    void AreaMean(Tensor x, Tensor y);

    /// <summary>Gradient of <see cref="AreaMean"/>; dx overwritten.</summary>
    void AreaMeanBackward(Tensor dy, Tensor dx);

    /// <summary>
    /// y[m] = [cos(v f_0..n-1), sin(v f_0..n-1)] for v = values[m], accurate for any fp32 argument; values [M], frequencies [n], y [M,2n].
    /// </summary>
    void Sinusoid(Tensor values, Tensor frequencies, Tensor y);

    /// <summary>
    /// Per row: loss[r] = lse(logits[r]) - logits[r,label]; dlogits (may be none, may be logits itself) := weight · (softmax - onehot).
    /// labels Int32 [R]; logits [R,V].
    /// </summary>
    void CrossEntropy(Tensor logits, Tensor labels, float weight, Tensor loss, Tensor dlogits);

    /// <summary>
    /// One pass over the conditional and unconditional logit rows: z = u + s(c - u), or c where s is 1; token drawn from softmax(z/τ); logProb = log
    /// softmax(z/τ)[token]; confidence = log softmax(z)[token] (no τ). The draw is the largest z/τ + Gumbel, taken within chunks of 128
    /// codes first and then over the chunks. Gumbel noise of code v is word v mod 4 of the Philox block at counter (v/4, position,
    /// noise.Step, trajectory): Gumbel = -log(-log(Philox.Uniform(bits))). Tokens have the same bits on every backend for the same logits.
    /// </summary>
    /// <param name="conditional">[.,V] fp32.</param>
    /// <param name="unconditional">[.,V] fp32, or none: z = c.</param>
    /// <param name="rows">Positions, schedules and outputs.</param>
    /// <param name="noise">Where the noise comes from.</param>
    void GuidedSample(Tensor conditional, Tensor unconditional, in GuidedRows rows, NoiseAddress noise);

    /// <summary>
    /// <see cref="Linear"/> without bias to fp32 logits, then <see cref="GuidedSample"/>, with the same bits and without the logits in memory.
    /// </summary>
    /// <param name="conditional">[.,K] what the head reads of the conditional pass.</param>
    /// <param name="unconditional">[.,K], or none: z = c.</param>
    /// <param name="head">[V,K] weight.</param>
    /// <param name="rows">Positions, schedules and outputs.</param>
    /// <param name="noise">Where the noise comes from.</param>
    void HeadSample(Tensor conditional, Tensor unconditional, Tensor head, in GuidedRows rows, NoiseAddress noise);

    /// <summary>
    /// Decodes all but k masked positions of each image: those of lowest confidence + τ_r·Gumbel keep the mask token, all other masked
    /// positions take their candidate. k is <see cref="RemaskCount.Of"/> (fp64) of the action's r. Exact count, ties by lower index
    /// re-masked first, decoded positions untouched. Noise of position i is word i mod 4 of block (i/4, 0, noise.Step, trajectory).
    /// </summary>
    /// <param name="operands">Canvases, candidates and schedules.</param>
    /// <param name="noise">Where the noise comes from; its step is t.</param>
    /// <param name="steps">T.</param>
    /// <param name="rule">How r becomes a number of codes.</param>
    /// <param name="maskToken">The id that marks a masked position.</param>
    void Remask(in RemaskOperands operands, NoiseAddress noise, int steps, CountRule rule, int maskToken);

    /// <summary>
    /// Lists the masked positions of canvases: rows[0..R) := every b*N + i of a masked position, ascending; count := R; masked[b] := number of masked
    /// positions; fractions[b] := masked[b] / N in fp32.
    /// </summary>
    /// <param name="canvas">Int32 [B,N].</param>
    /// <param name="maskToken">The id that marks a masked position.</param>
    /// <param name="rows">Int32 [B*N] out; what is beyond R stays as it is.</param>
    /// <param name="count">Int32 [1] out.</param>
    /// <param name="masked">Int32 [B] out.</param>
    /// <param name="fractions">[B] out.</param>
    void MaskedRows(Tensor canvas, int maskToken, Tensor rows, Tensor count, Tensor masked, Tensor fractions);

    /// <summary>
    /// Where the head finds the wanted code rows in the last block's output z seen as [B*(L+n),C]. With up block: tokens := the distinct rows of z
    /// that own a wanted code, in order of first use; codes[r] := row of code rows[r] in the up block's output of those tokens, seen as [4·tokens,C].
    /// Without: tokens[r] := row of code rows[r].
    /// </summary>
    /// <param name="rows">Int32 [R] ascending; <see cref="Tensor.LiveRows"/> is honoured.</param>
    /// <param name="grid">How codes and tokens lie.</param>
    /// <param name="tokens">Int32 [min(R, B*n)] out.</param>
    /// <param name="tokenCount">Int32 [1] out: tokens written.</param>
    /// <param name="codes">Int32 [R] out, or none without up block.</param>
    void HeadRows(Tensor rows, in HeadGrid grid, Tensor tokens, Tensor tokenCount, Tensor codes);

    /// <summary>
    /// One step of a learned schedule for B images in fp64: mean = δ where the action is trained, else 0; raw = mean + exploration; action and new
    /// state by <see cref="ScheduleLink.Apply"/>. A weight that is not finite gives an action that is not: the caller checks.
    /// </summary>
    /// <param name="delta">[B,4] fp32, the policy's output.</param>
    /// <param name="exploration">Float64 [B,4], added to the mean.</param>
    /// <param name="trained">Bit k: whether action k is trained.</param>
    /// <param name="link">The action space at this step.</param>
    /// <param name="state">Float64 [B,5] in and out: r, then the four deviations; (1,0,0,0,0) before step 0.</param>
    /// <param name="means">Float64 [B,4] out.</param>
    /// <param name="raw">Float64 [B,4] out.</param>
    /// <param name="actions">Float64 [B,4] out.</param>
    /// <param name="clampHits">Int32 [B]: 1 is added where an action was cut to its range.</param>
    void ScheduleActions(
        Tensor delta,
        Tensor exploration,
        int trained,
        in ScheduleLink link,
        Tensor state,
        Tensor means,
        Tensor raw,
        Tensor actions,
        Tensor clampHits
    );

    /// <summary>
    /// Records the device work that <paramref name="work"/> queues, without running it, so that it can be launched again in one call. The work must
    /// have run once before, at the same addresses, upload and download nothing. Null where the device does not record; <paramref name="work"/> is
    /// then not called.
    /// </summary>
    IRecording? Record(Action work);

    /// <summary>
    /// Log-probability of given tokens under guidance and temperature, bit-equal to what <see cref="GuidedSample"/> returned for the
    /// same logits: logProb = log softmax(z/τ)[token], confidence = log softmax(z)[token], entropy of softmax(z/τ), logSumExp of z/τ.
    /// Rows of s = 1 take the conditional row alone. All outputs [R]; confidence, entropy and logSumExp may be none.
    /// </summary>
    void LogProbGather(
        Tensor conditional,
        Tensor unconditional,
        Tensor guidance,
        Tensor temperature,
        Tensor tokens,
        Tensor logProb,
        Tensor confidence,
        Tensor entropy,
        Tensor logSumExp
    );

    /// <summary>
    /// dc_v := upstream·(s/τ)(1[v=token] - p_v), du_v := upstream·((1-s)/τ)(1[v=token] - p_v) with p = softmax(z/τ); without an
    /// unconditional row dc_v := upstream/τ (1[v=token] - p_v). upstream [R] = dL/dlogProb. dunconditional none: detached. Outputs may be the logits
    /// themselves.
    /// </summary>
    void LogProbGatherBackward(Tensor upstream, Tensor conditional, Tensor unconditional, Tensor guidance, Tensor temperature, Tensor tokens,
        Tensor logSumExp, Tensor dconditional, Tensor dunconditional);

    /// <summary>
    /// The clipped objective of decoded codes (specs/grpo.md 6.4) as the gradient of each row's log-probability: per segment Λ = Σ (logProb - old)
    /// over its rows, J = <see cref="ClippedSurrogate.Value"/> of Λ and A; upstream = -dJ/dΛ · w / normalizer, plus β (w / normalizer)(1 - e^(ref -
    /// logProb)) where that log-ratio is within the clamp. fp64 inside.
    /// </summary>
    /// <param name="operands">Rows and segments.</param>
    /// <param name="surrogate">Clip, cap and clamp.</param>
    /// <param name="normalizer">The loss is divided by this.</param>
    /// <param name="klWeight">β; 0 needs no reference.</param>
    void ClippedObjective(in ClippedObjectiveOperands operands, in ClippedSurrogate surrogate, double normalizer, double klWeight);

    /// <summary>
    /// One optimizer step on a run of parameters, everything that belongs to it in one pass: g = gradient · min(1, clip / (sqrt(squaredNorm) +
    /// 1e-6)); decoupled-weight-decay Adam in torch's order, p ← p(1 - lr·wd) where the block decays, m, v updated, p ← p - lr · m̂ / (sqrt(v̂) +
    /// eps); compute := p; average := d · average + (1 - d) · p; gradient := 0. When squaredNorm is not finite, only the gradient is zeroed.
    /// </summary>
    void AdamW(in AdamWOperands operands, in AdamWStep step);

    /// <summary>
    /// sum := Σ x² (added when <paramref name="accumulate"/>) in fp64 in a fixed order; sum Float64 [1], x contiguous. A non-finite element gives a
    /// non-finite sum.
    /// </summary>
    void SquaredNorm(Tensor x, Tensor sum, bool accumulate = false);
}
