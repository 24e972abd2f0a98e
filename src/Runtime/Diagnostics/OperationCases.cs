using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Optimization;
using CoGrpo.Runtime.Randomness;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Runtime.Diagnostics;

/// <summary>
/// Every operation of <see cref="IBackend"/> at the row shapes of the published model: C = 1024, 77 tokens of text before those of the image,
/// 8 heads of 128, V = 8192.
/// </summary>
internal sealed class OperationCases
{
    /// <summary>Tokens of an image of the published model.</summary>
    public const int PublishedImageTokens = 1024;

    private const int C = 1024;
    private const int L = 77;
    private const int V = 8192;
    private const int Heads = 8;
    private const int MapChannels = 512;
    private const float Epsilon = 1e-6f;

    private static readonly Shape Image = new(1, C);

    private readonly int _tokens;
    private readonly int _imageTokens;
    private readonly Shape _sequence;
    private readonly Shape _rows;

    private OperationCases(int imageTokens) =>
        (_imageTokens, _tokens, _sequence, _rows) = (imageTokens, L + imageTokens, new Shape(1, L + imageTokens, C), new Shape(L + imageTokens, C));

    /// <summary>Rows of a map of the picture decoder, 64 at the published size.</summary>
    private int MapRows => Math.Max(2, _imageTokens / 16);

    private Shape Map => new(1, MapRows, 64, MapChannels);

    private string RowsText => $"{_tokens}x{C}";

    /// <summary>All cases, in the order of the interface.</summary>
    /// <param name="imageTokens">Number of rows of the image; a small one makes the cases cheap and leaves the rows as they are. A multiple of
    /// 4.</param>
    public static IReadOnlyList<OperationCase> Of(int imageTokens = PublishedImageTokens) => new OperationCases(imageTokens).All();

    private IReadOnlyList<OperationCase> All() =>
        [
            Case(
                nameof(IBackend.Fill),
                RowsText,
                t =>
                {
                    Tensor x = t.Out("x", _rows);
                    return () => t.Backend.Fill(x, 0.5f);
                }
            ),
            Case(
                nameof(IBackend.Copy),
                RowsText,
                t =>
                {
                    Tensor x = t.Normal(_rows),
                        y = t.Out("y", _rows);
                    return () => t.Backend.Copy(x, y);
                }
            ),
            Case(
                nameof(IBackend.Add),
                RowsText,
                t =>
                {
                    Tensor a = t.Normal(_rows),
                        b = t.Normal(_rows),
                        y = t.Out("y", _rows);
                    return () => t.Backend.Add(a, b, y);
                }
            ),
            Case(
                nameof(IBackend.Scale),
                RowsText,
                t =>
                {
                    Tensor x = t.Normal(_rows),
                        y = t.Out("y", _rows);
                    return () => t.Backend.Scale(x, 0.75f, y);
                }
            ),
            .. MatrixCases(),
            Case(
                nameof(IBackend.Activate),
                $"{_tokens}x4096 gelu",
                t =>
                {
                    Tensor x = t.Normal(new Shape(_tokens, 4 * C)),
                        y = t.Out("y", x.Shape);
                    return () => t.Backend.Activate(x, y, Activation.GeluTanh);
                }
            ),
            Case(
                nameof(IBackend.ActivateBackward),
                $"{_tokens}x4096 gelu",
                t =>
                {
                    Tensor dy = t.Normal(new Shape(_tokens, 4 * C)),
                        x = t.Normal(dy.Shape),
                        dx = t.Out("dx", dy.Shape);
                    return () => t.Backend.ActivateBackward(dy, x, dx, Activation.GeluTanh);
                }
            ),
            .. AttentionCases(),
            .. NormCases(),
            .. TokenCases(),
            .. GridCases(),
            .. LogitCases(),
            .. SamplingCases(),
            .. OptimizerCases(),
        ];

    private static OperationCase Case(string operation, string size, Func<CaseTensors, Action> build) => new(operation, size, build);

    private IEnumerable<OperationCase> MatrixCases()
    {
        foreach ((int n, int k) in new[] { (C, C), (4 * C, C), (C, 4 * C) })
        {
            yield return Case(
                nameof(IBackend.Linear),
                $"{_tokens}x{k}x{n}",
                t =>
                {
                    Tensor x = t.Normal(new Shape(_tokens, k)),
                        w = t.Normal(new Shape(n, k), 1 / Math.Sqrt(k)),
                        b = t.Normal(new Shape(n)),
                        y = t.Out("y", new Shape(_tokens, n));
                    return () => t.Backend.Linear(x, w, b, y);
                }
            );
            yield return Case(
                nameof(IBackend.LinearBackwardInput),
                $"{_tokens}x{n}x{k}",
                t =>
                {
                    Tensor dy = t.Normal(new Shape(_tokens, n)),
                        w = t.Normal(new Shape(n, k), 1 / Math.Sqrt(k)),
                        dx = t.Out("dx", new Shape(_tokens, k));
                    return () => t.Backend.LinearBackwardInput(dy, w, dx, WeightLayout.OutIn, accumulate: false);
                }
            );
            yield return Case(
                nameof(IBackend.LinearBackwardWeight),
                $"{n}x{_tokens}x{k}",
                t =>
                {
                    Tensor dy = t.Normal(new Shape(_tokens, n)),
                        x = t.Normal(new Shape(_tokens, k)),
                        dw = t.WideSum("dweight", new Shape(n, k)),
                        db = t.WideSum("dbias", new Shape(n));
                    return () => t.Backend.LinearBackwardWeight(dy, x, dw, db, WeightLayout.OutIn);
                }
            );
        }
    }

    private IEnumerable<OperationCase> AttentionCases()
    {
        yield return Case(
            nameof(IBackend.Attention),
            $"{_tokens} tokens, 8 heads of 128",
            t =>
            {
                Tensor q = t.Normal(_sequence),
                    k = t.Normal(_sequence),
                    v = t.Normal(_sequence),
                    o = t.Out("o", _sequence),
                    lse = t.WideOut("logSumExp", new Shape(1, Heads, _tokens));
                return () => t.Backend.Attention(q, k, v, o, lse, Heads, causal: false);
            }
        );
        yield return Case(
            nameof(IBackend.AttentionBackward),
            $"{_tokens} tokens, 8 heads of 128",
            t =>
            {
                Tensor q = t.Normal(_sequence),
                    k = t.Normal(_sequence),
                    v = t.Normal(_sequence),
                    dO = t.Normal(_sequence);
                Tensor o = t.Scratch(_sequence, t.Backend.Storage),
                    lse = t.Scratch(new Shape(1, Heads, _tokens));
                Tensor dq = t.Out("dq", _sequence),
                    dk = t.Out("dk", _sequence),
                    dv = t.Out("dv", _sequence);
                t.Backend.Attention(q, k, v, o, lse, Heads, causal: false);
                return () => t.Backend.AttentionBackward(dO, q, k, v, o, lse, dq, dk, dv, Heads, causal: false);
            }
        );
    }

    private IEnumerable<OperationCase> NormCases()
    {
        yield return Case(
            nameof(IBackend.AdaLn),
            RowsText,
            t =>
            {
                Tensor x = t.Normal(_sequence),
                    shift = t.Normal(Image),
                    scale = t.Normal(Image, 0.2),
                    y = t.Out("y", _sequence),
                    stats = t.WideOut("stats", new Shape(_tokens, 2));
                return () => t.Backend.AdaLn(x, shift, scale, y, stats, Epsilon);
            }
        );
        yield return Case(
            nameof(IBackend.AdaLnBackward),
            RowsText,
            t =>
            {
                Tensor x = t.Normal(_sequence),
                    dy = t.Normal(_sequence),
                    shift = t.Normal(Image),
                    scale = t.Normal(Image, 0.2),
                    y = t.Scratch(_sequence, t.Backend.Storage),
                    stats = t.Scratch(new Shape(_tokens, 2));
                Tensor dx = t.Out("dx", _sequence),
                    dshift = t.WideSum("dshift", Image),
                    dscale = t.WideSum("dscale", Image);
                t.Backend.AdaLn(x, shift, scale, y, stats, Epsilon);
                return () => t.Backend.AdaLnBackward(dy, x, scale, stats, dx, accumulate: false, dshift, dscale);
            }
        );
        yield return Case(
            nameof(IBackend.RmsNorm),
            RowsText,
            t =>
            {
                Tensor x = t.Normal(_rows),
                    w = t.Normal(new Shape(C), 0.1, 1),
                    y = t.Out("y", _rows),
                    rstd = t.WideOut("rstd", new Shape(_tokens));
                return () => t.Backend.RmsNorm(x, w, y, rstd, Epsilon);
            }
        );
        yield return Case(
            nameof(IBackend.RmsNormBackward),
            RowsText,
            t =>
            {
                Tensor x = t.Normal(_rows),
                    dy = t.Normal(_rows),
                    w = t.Normal(new Shape(C), 0.1, 1),
                    y = t.Scratch(_rows, t.Backend.Storage),
                    rstd = t.Scratch(new Shape(_tokens));
                Tensor dx = t.Out("dx", _rows),
                    dw = t.WideSum("dweight", new Shape(C));
                t.Backend.RmsNorm(x, w, y, rstd, Epsilon);
                return () => t.Backend.RmsNormBackward(dy, x, w, rstd, dx, accumulate: false, dw);
            }
        );
        yield return Case(
            nameof(IBackend.LayerNorm),
            RowsText,
            t =>
            {
                Tensor x = t.Normal(_rows),
                    w = t.Normal(new Shape(C), 0.1, 1),
                    b = t.Normal(new Shape(C)),
                    y = t.Out("y", _rows),
                    stats = t.WideOut("stats", new Shape(_tokens, 2));
                return () => t.Backend.LayerNorm(x, w, b, y, stats, Epsilon);
            }
        );
        yield return Case(
            nameof(IBackend.LayerNormBackward),
            RowsText,
            t =>
            {
                Tensor x = t.Normal(_rows),
                    dy = t.Normal(_rows),
                    w = t.Normal(new Shape(C), 0.1, 1),
                    b = t.Normal(new Shape(C)),
                    y = t.Scratch(_rows, t.Backend.Storage),
                    stats = t.Scratch(new Shape(_tokens, 2));
                Tensor dx = t.Out("dx", _rows),
                    dw = t.WideSum("dweight", new Shape(C)),
                    db = t.WideSum("dbias", new Shape(C));
                t.Backend.LayerNorm(x, w, b, y, stats, Epsilon);
                return () => t.Backend.LayerNormBackward(dy, x, w, stats, dx, accumulate: false, dw, db);
            }
        );
        yield return Case(
            nameof(IBackend.GroupNorm),
            $"{MapRows}x64x512 silu",
            t =>
            {
                Tensor x = t.Normal(Map),
                    w = t.Normal(new Shape(MapChannels), 0.1, 1),
                    b = t.Normal(new Shape(MapChannels)),
                    y = t.Out("y", Map);
                return () => t.Backend.GroupNorm(x, w, b, y, 32, Epsilon, Activation.Silu);
            }
        );
        yield return Case(
            nameof(IBackend.QkNormRope),
            $"{_imageTokens} tokens, 8 heads of 128",
            t =>
            {
                (Tensor x, Tensor w, Tensor cos, Tensor sin) = RotaryOperands(t);
                Tensor y = t.Sum("y", _sequence),
                    rstd = t.WideOut("rstd", new Shape(_imageTokens, Heads));
                return () => t.Backend.QkNormRope(x, w, cos, sin, y, L, rstd, Heads, Epsilon);
            }
        );
        yield return Case(
            nameof(IBackend.QkNormRopeBackward),
            $"{_imageTokens} tokens, 8 heads of 128",
            t =>
            {
                (Tensor x, Tensor w, Tensor cos, Tensor sin) = RotaryOperands(t);
                Tensor dy = t.Normal(_sequence),
                    y = t.Scratch(_sequence, t.Backend.Storage),
                    rstd = t.Scratch(new Shape(_imageTokens, Heads));
                Tensor dx = t.Out("dx", new Shape(1, _imageTokens, C)),
                    dw = t.WideSum("dweight", new Shape(C / Heads));
                t.Backend.QkNormRope(x, w, cos, sin, y, L, rstd, Heads, Epsilon);
                return () => t.Backend.QkNormRopeBackward(dy, x, w, cos, sin, rstd, L, dx, dw, Heads);
            }
        );
        yield return Case(
            nameof(IBackend.GateResidual),
            RowsText,
            t =>
            {
                Tensor residual = t.Normal(_sequence),
                    branch = t.Normal(_sequence),
                    gate = t.Normal(Image),
                    y = t.Out("y", _sequence);
                return () => t.Backend.GateResidual(residual, branch, gate, y);
            }
        );
        yield return Case(
            nameof(IBackend.GateResidualBackward),
            RowsText,
            t =>
            {
                Tensor dy = t.Normal(_sequence),
                    branch = t.Normal(_sequence),
                    gate = t.Normal(Image),
                    dbranch = t.Out("dbranch", _sequence),
                    dgate = t.WideSum("dgate", Image);
                return () => t.Backend.GateResidualBackward(dy, branch, gate, dbranch, dgate);
            }
        );
    }

    private (Tensor X, Tensor Weight, Tensor Cos, Tensor Sin) RotaryOperands(CaseTensors t) =>
        (
            t.Normal(new Shape(1, _imageTokens, C)),
            t.Normal(new Shape(C / Heads), 0.1, 1),
            t.Wide(new Shape(_tokens, C / Heads / 2), 0.5),
            t.Wide(new Shape(_tokens, C / Heads / 2), 0.5)
        );

    private IEnumerable<OperationCase> TokenCases()
    {
        yield return Case(
            nameof(IBackend.Embedding),
            $"{_imageTokens} of 8256x1024",
            t =>
            {
                Tensor ids = t.Integers(new Shape(1, _imageTokens), i => i * 7919 % 8256),
                    table = t.Normal(new Shape(8256, C)),
                    y = t.Out("y", new Shape(1, _imageTokens, C));
                return () => t.Backend.Embedding(ids, table, default, y);
            }
        );
        yield return Case(
            nameof(IBackend.EmbeddingBackward),
            $"{_imageTokens} of 8256x1024",
            t =>
            {
                Tensor ids = t.Integers(new Shape(1, _imageTokens), i => i % 3 == 0 ? 8255 : i * 7919 % 8256),
                    dy = t.Normal(new Shape(1, _imageTokens, C)),
                    dtable = t.WideSum("dtable", new Shape(8256, C));
                return () => t.Backend.EmbeddingBackward(dy, ids, dtable, default);
            }
        );
        yield return Case(
            nameof(IBackend.TransposeTokens),
            $"{_imageTokens}x1024",
            t =>
            {
                Tensor x = t.Normal(new Shape(1, _imageTokens, C)),
                    y = t.Out("y", new Shape(1, C, _imageTokens));
                return () => t.Backend.TransposeTokens(x, y);
            }
        );
        yield return Case(
            nameof(IBackend.CopyTokens),
            $"{_imageTokens} of {RowsText}",
            t =>
            {
                Tensor x = t.Normal(_sequence),
                    y = t.Out("y", new Shape(1, _imageTokens, C));
                return () => t.Backend.CopyTokens(x, L, y, 0, _imageTokens);
            }
        );
        yield return Case(
            nameof(IBackend.GatherRows),
            $"{_imageTokens / 2} of {RowsText}",
            t =>
            {
                Tensor x = t.Normal(_rows),
                    rows = t.Integers(new Shape(_imageTokens / 2), i => 2 * i),
                    y = t.Out("y", new Shape(_imageTokens / 2, C));
                return () => t.Backend.GatherRows(x, rows, y);
            }
        );
        yield return Case(
            nameof(IBackend.GatherRowsBackward),
            $"{_imageTokens / 2} of {RowsText}",
            t =>
            {
                Tensor dy = t.Normal(new Shape(_imageTokens / 2, C)),
                    rows = t.Integers(new Shape(_imageTokens / 2), i => 2 * i),
                    dx = t.Out("dx", _rows);
                return () => t.Backend.GatherRowsBackward(dy, rows, dx, accumulate: false);
            }
        );
    }

    private IEnumerable<OperationCase> GridCases()
    {
        Shape fine = new(1, 32, 32, C),
            coarse = new(1, 16, 16, 4 * C);
        yield return Case(
            nameof(IBackend.SpaceToDepth),
            "32x32x1024",
            t =>
            {
                Tensor x = t.Normal(fine),
                    y = t.Out("y", coarse);
                return () => t.Backend.SpaceToDepth(x, y);
            }
        );
        yield return Case(
            nameof(IBackend.DepthToSpace),
            "16x16x4096",
            t =>
            {
                Tensor x = t.Normal(coarse),
                    y = t.Out("y", fine);
                return () => t.Backend.DepthToSpace(x, y);
            }
        );
        yield return Case(
            nameof(IBackend.DepthwiseConv),
            "8 of 16x16x1024",
            t =>
            {
                Tensor x = t.Normal(new Shape(8, 16, 16, C)),
                    w = t.Normal(new Shape(C, 1, 3, 3), 0.3),
                    b = t.Normal(new Shape(C)),
                    y = t.Out("y", new Shape(8, 8, 8, C));
                return () => t.Backend.DepthwiseConv(x, w, b, y);
            }
        );
        yield return Case(
            nameof(IBackend.DepthwiseConvBackward),
            "8 of 16x16x1024",
            t =>
            {
                Tensor x = t.Normal(new Shape(8, 16, 16, C)),
                    dy = t.Normal(new Shape(8, 8, 8, C)),
                    w = t.Normal(new Shape(C, 1, 3, 3), 0.3);
                Tensor dx = t.Out("dx", x.Shape),
                    dw = t.WideSum("dweight", new Shape(C, 1, 3, 3)),
                    db = t.WideSum("dbias", new Shape(C));
                return () => t.Backend.DepthwiseConvBackward(dy, x, w, dx, dw, db);
            }
        );
        foreach (ConvForm form in Enum.GetValues<ConvForm>())
        {
            yield return Case(
                nameof(IBackend.Conv3x3),
                $"{MapRows}x64x512 {form.ToString().ToLowerInvariant()}",
                t =>
                {
                    Tensor x = t.Normal(Map),
                        w = t.Normal(new Shape(MapChannels, 3, 3, MapChannels), 1 / Math.Sqrt(9 * MapChannels)),
                        b = t.Normal(new Shape(MapChannels));
                    Tensor y = t.Out(
                        "y",
                        form switch
                        {
                            ConvForm.Halved => new Shape(1, MapRows / 2, 32, MapChannels),
                            ConvForm.Doubled => new Shape(1, 2 * MapRows, 128, MapChannels),
                            _ => Map,
                        }
                    );
                    return () => t.Backend.Conv3x3(x, w, b, y, form);
                }
            );
        }

        yield return Case(
            nameof(IBackend.NearestCode),
            $"{4 * _imageTokens} of 8192x64",
            t =>
            {
                Tensor x = t.Wide(new Shape(4 * _imageTokens, 64)),
                    codebook = t.Wide(new Shape(V, 64)),
                    codes = t.IntegerOut("codes", new Shape(4 * _imageTokens));
                return () => t.Backend.NearestCode(x, codebook, codes);
            }
        );
        yield return Case(
            nameof(IBackend.AreaMean),
            "32x32x1024 to 16x16",
            t =>
            {
                Tensor x = t.Normal(fine),
                    y = t.Out("y", new Shape(1, 16, 16, C));
                return () => t.Backend.AreaMean(x, y);
            }
        );
        yield return Case(
            nameof(IBackend.AreaMeanBackward),
            "16x16x1024 to 32x32",
            t =>
            {
                Tensor dy = t.Normal(new Shape(1, 16, 16, C)),
                    dx = t.Out("dx", fine);
                return () => t.Backend.AreaMeanBackward(dy, dx);
            }
        );
        yield return Case(
            nameof(IBackend.Sinusoid),
            "40 of 128",
            t =>
            {
                Tensor values = t.Wide(new Shape(40), 1000),
                    frequencies = t.Wide(new Shape(128), 0.3, 0.5),
                    y = t.WideOut("y", new Shape(40, 256));
                return () => t.Backend.Sinusoid(values, frequencies, y);
            }
        );
    }

    private static IEnumerable<OperationCase> LogitCases()
    {
        const int R = 64;
        Shape logits = new(R, V);
        yield return Case(
            nameof(IBackend.CrossEntropy),
            "64x8192",
            t =>
            {
                Tensor x = t.Wide(logits, 2),
                    labels = t.Integers(new Shape(R), i => i * 101 % V),
                    loss = t.WideOut("loss", new Shape(R)),
                    dx = t.WideOut("dlogits", logits);
                return () => t.Backend.CrossEntropy(x, labels, 0.1f, loss, dx);
            }
        );
        yield return Case(
            nameof(IBackend.LogProbGather),
            "64x8192 guided",
            t =>
            {
                (Tensor c, Tensor u, Tensor s, Tensor tau, Tensor tokens) = GatherOperands(t, logits);
                Tensor logProb = t.WideOut("logProb", new Shape(R)),
                    entropy = t.WideOut("entropy", new Shape(R)),
                    lse = t.WideOut("logSumExp", new Shape(R));
                return () => t.Backend.LogProbGather(c, u, s, tau, tokens, logProb, default, entropy, lse);
            }
        );
        yield return Case(
            nameof(IBackend.LogProbGatherBackward),
            "64x8192 guided",
            t =>
            {
                (Tensor c, Tensor u, Tensor s, Tensor tau, Tensor tokens) = GatherOperands(t, logits);
                Tensor upstream = t.Wide(new Shape(R)),
                    dc = t.WideOut("dconditional", logits),
                    du = t.WideOut("dunconditional", logits);
                return () => t.Backend.LogProbGatherBackward(upstream, c, u, s, tau, tokens, default, dc, du);
            }
        );
    }

    private static (Tensor C, Tensor U, Tensor _tokens, Tensor Tau, Tensor Tokens) GatherOperands(CaseTensors t, Shape logits) =>
        (
            t.Wide(logits, 2),
            t.Wide(logits, 2),
            t.Wide(new Shape(logits[0]), 0.1, 3),
            t.Wide(new Shape(logits[0]), 0.05, 0.9),
            t.Integers(new Shape(logits[0]), i => i * 101 % V)
        );

    private IEnumerable<OperationCase> SamplingCases()
    {
        const int R = 64;
        yield return Case(nameof(IBackend.GuidedSample), "64x8192 guided", t =>
        {
            Tensor c = t.Wide(new Shape(R, V), 2), u = t.Wide(new Shape(R, V), 2);
            (GuidedRows rows, NoiseAddress noise) = DrawOperands(t, R);
            return () => t.Backend.GuidedSample(c, u, rows, noise);
        });
        yield return Case(nameof(IBackend.HeadSample), $"{_imageTokens / 4}x1024x8192 guided", t =>
        {
            Tensor c = t.Normal(new Shape(_imageTokens / 4, C)), u = t.Normal(new Shape(_imageTokens / 4, C)), head = t.Normal(new Shape(V, C), 2 / Math.Sqrt(C));
            (GuidedRows rows, NoiseAddress noise) = DrawOperands(t, _imageTokens / 4);
            return () => t.Backend.HeadSample(c, u, head, rows, noise);
        });
        yield return Case(nameof(IBackend.Remask), "8x4096", t =>
        {
            Shape board = new(8, 4096);
            var operands = new RemaskOperands
            {
                Canvas = t.Output("canvas", t.Integers(board, _ => V)),
                Candidates = t.Integers(board, i => i % V),
                Confidence = t.Wide(board),
                LogProb = t.Wide(board),
                Actions = t.Doubles(new Shape(8, 4), i => i % 4 == 0 ? 0.5 : 1),
                StartShare = t.Doubles(new Shape(8), _ => 1),
                Trajectories = t.Integers(new Shape(8), i => i),
                DecodedStep = t.Integers(board, _ => -1),
                DecodedLogProb = t.Scratch(board),
            };
            NoiseAddress noise = t.Noise(RandomStream.Remask);
            return () => t.Backend.Remask(operands, noise, 48, CountRule.Double, V);
        });
        yield return Case(nameof(IBackend.MaskedRows), "8x4096", t =>
        {
            Tensor canvas = t.Integers(new Shape(8, 4096), i => i % 3 == 0 ? 5 : V), rows = t.Integers(new Shape(8 * 4096), _ => 0), count = t.IntegerOut("count", new Shape(1));
            Tensor masked = t.IntegerOut("masked", new Shape(8)), fractions = t.WideOut("fractions", new Shape(8));
            t.Output("rows", rows);
            return () => t.Backend.MaskedRows(canvas, V, rows, count, masked, fractions);
        });
        yield return Case(nameof(IBackend.HeadRows), "8x64x64 with up block", t =>
        {
            var grid = new HeadGrid(8, L, 64, 64, Upsample: true);
            Tensor rows = t.Integers(new Shape(8 * 2048), i => 2 * i), tokens = t.Integers(new Shape(8 * 1024), _ => 0), count = t.IntegerOut("tokenCount", new Shape(1));
            Tensor codes = t.IntegerOut("codes", new Shape(8 * 2048));
            t.Output("tokens", tokens);
            return () => t.Backend.HeadRows(rows, grid, tokens, count, codes);
        });
        yield return Case(nameof(IBackend.ScheduleActions), "8", t =>
        {
            Shape four = new(8, 4);
            Tensor delta = t.Wide(four, 0.2), exploration = t.Doubles(four, i => 0.01 * i), state = t.Doubles(new Shape(8, 5), i => i % 5 == 0 ? 0.7 : 0.1);
            Tensor means = t.Scratch(four, ElementType.Float64), raw = t.Scratch(four, ElementType.Float64), actions = t.Output("actions", t.Scratch(four, ElementType.Float64)), hits = t.Integers(new Shape(8), _ => 0);
            ScheduleLink link = new ScheduleParametrization(new ScheduleParametrizationSettings()).Link(3, 48);
            return () => t.Backend.ScheduleActions(delta, exploration, 15, link, state, means, raw, actions, hits);
        });
    }

    private static (GuidedRows Rows, NoiseAddress Noise) DrawOperands(CaseTensors t, int rows) => (new GuidedRows
    {
        Rows = t.Integers(new Shape(rows), i => i),
        Codes = rows,
        Actions = t.Doubles(new Shape(1, 4), i => i switch { 1 => 0.9, 3 => 3, _ => 0.5 }),
        Trajectories = t.Integers(new Shape(1), _ => 7),
        Tokens = t.IntegerOut("tokens", new Shape(rows)),
        LogProb = t.WideOut("logProb", new Shape(rows)),
        Confidence = t.WideOut("confidence", new Shape(rows)),
    }, t.Noise(RandomStream.TokenSampling));

    private static IEnumerable<OperationCase> OptimizerCases()
    {
        const int Count = 1 << 20;
        yield return Case(nameof(IBackend.ClippedObjective), "48 segments of 85", t =>
        {
            Shape rows = new(48 * 85);
            var operands = new ClippedObjectiveOperands
            {
                LogProb = t.Wide(rows),
                OldLogProb = t.Wide(rows),
                Starts = t.Integers(new Shape(49), i => 85 * i),
                Advantages = t.Doubles(new Shape(48), i => (i % 5) - 2),
                Weights = t.Doubles(new Shape(48), _ => 1),
                Upstream = t.WideOut("upstream", rows),
            };
            return () => t.Backend.ClippedObjective(operands, new ClippedSurrogate(0.8, 1.2, double.PositiveInfinity, 20), 100, 0);
        });
        yield return Case(nameof(IBackend.AdamW), "1048576", t =>
        {
            Shape run = new(Count);
            var operands = new AdamWOperands
            {
                Parameter = t.Output("parameter", t.Wide(run)),
                Gradient = t.Wide(run),
                FirstMoment = t.Wide(run, 0.1),
                SecondMoment = t.Wide(run, 0.01, 1),
                SquaredNorm = t.Doubles(new Shape(1), _ => 4),
                Compute = t.Backend.Storage == ElementType.Float32 ? default : t.Scratch(run, t.Backend.Storage),
                Average = t.Wide(run),
                AverageDecay = 0.99f,
            };
            return () => t.Backend.AdamW(operands, new AdamWStep(1e-3, 0.9, 0.95, 1e-8, 0.02, 3, 1));
        });
        yield return Case(nameof(IBackend.SquaredNorm), "1048576", t =>
        {
            Tensor x = t.Wide(new Shape(Count)), sum = t.Output("sum", t.Scratch(new Shape(1), ElementType.Float64));
            return () => t.Backend.SquaredNorm(x, sum);
        });
    }
}
