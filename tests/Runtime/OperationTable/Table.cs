using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Tests.Runtime.OperationTable;

/// <summary>Every operation of <see cref="IBackend"/> with the sizes and flags it is checked at, in the order of the interface.</summary>
internal static class Table
{
    private const WeightLayout OutIn = WeightLayout.OutIn;
    private const WeightLayout InOut = WeightLayout.InOut;

    private static readonly LinearForm Aligned = new(Aligned: true);
    private static readonly LinearForm Wide = new(Wide: true);
    private static readonly LinearForm AlignedWide = new(Aligned: true, Wide: true);

    private static readonly ScheduleLink[] Links =
    [
        new ScheduleParametrization(new()).Link(0, 8),
        new ScheduleParametrization(new() { Smoothing = 0.6, MaxSamplingTemperature = 1.05, MaxRemaskTemperature = 2.2 }).Link(3, 8),
        new ScheduleParametrization(new() { Mode = RemaskMode.Absolute, HandMade = new() { Guidance = 1.5 }, MinGuidance = 1.4 }).Link(7, 8),
    ];

    private static readonly AdamWStep FirstStep = new(1e-3, 0.9, 0.999, 1e-8, 0.01, 1);

    private static readonly AttentionSize[] Attention =
    [
        new(1, 1, 1, 1, false), new(3, 5, 1, 7, false), new(17, 33, 2, 5, false), new(7, 7, 3, 8, true), new(65, 65, 2, 17, true), new(5, 72, 2, 33, false),
        new(72, 72, 1, 32, false), new(130, 7, 1, 65, false),
        new(40, 70, 2, 32, false, Aligned: true), new(130, 70, 1, 64, false, Aligned: true), new(70, 70, 1, 80, true, Aligned: true), new(33, 100, 1, 128, false, Aligned: true),
        new(137, 137, 1, 128, true, Aligned: true),
    ];

    private static readonly RopeSize[] Ropes = [new(1, 1, 0, 1, 2), new(3, 5, 1, 1, 6), new(5, 7, 2, 3, 10), new(17, 33, 0, 2, 32), new(7, 72, 65, 5, 34), new(65, 65, 0, 1, 130),
        new(37, 40, 3, 8, 128), new(5, 9, 2, 35, 8), new(9, 9, 0, 5, 64), new(3, 3, 0, 2, 80)];

    private static readonly (int H, int W, int C)[] Grids = [(1, 1, 1), (1, 3, 5), (3, 1, 17), (2, 5, 33), (5, 3, 72)];

    private static readonly ConvSize[] Convolutions = [new(1, 1, 1), new(3, 5, 7), new(4, 7, 33), new(5, 2, 72), new(9, 8, 17), new(33, 30, 8), new(19, 2, 5), new(4, 130, 4)];

    private static readonly Conv3x3Size[] Convolutions3x3 = [.. Enum.GetValues<ConvForm>().SelectMany(form => (Conv3x3Size[])
    [
        new(2, 3, 3, 5, form), new(5, 7, 17, 33, form, Residual: true), new(2, 2, 130, 3, form, Residual: true), new(7, 9, 8, 72, form, Residual: true, Aligned: true),
        new(3, 4, 40, 16, form, Residual: true, Aligned: true, Wide: true), new(4, 5, 72, 3, form),
    ]), new(1, 1, 1, 1, ConvForm.Same), new(1, 1, 16, 8, ConvForm.Doubled), new(1, 30, 264, 136, ConvForm.Same, Aligned: true)];

    public static IReadOnlyList<OperationRow> Rows { get; } =
    [
        new RoundTripRow(nameof(IBackend.Upload), 3, 17),
        new RoundTripRow(nameof(IBackend.Download), 5, 33),
        new FillRow(1, 1), new FillRow(3, 7), new FillRow(5, 65), new FillRow(130, 72), new FillRow(2, 2500),
        new CopyRow(1, 1, 0, 0), new CopyRow(3, 5, 2, 0), new CopyRow(5, 33, 0, 3), new CopyRow(65, 130, 1, 6), new CopyRow(3, 72, 8, 0), new CopyRow(2, 2500, 0, 0),
        new CopyRow(3, 17, 2, 0, fromWide: true), new CopyRow(5, 33, 0, 0, toWide: true), new CopyRow(3, 72, 8, 16, fromWide: true), new CopyRow(2, 2500, 0, 0, toWide: true),
        new LiveCopyRow(7, 3, 12), new LiveCopyRow(5, 9, 7), new LiveCopyRow(33, 0, 72), new LiveCopyRow(9, 4, 17, toWide: true),
        new AddRow(3, 1, true, false), new AddRow(5, 17, true, true), new AddRow(7, 65, false, false), new AddRow(33, 130, false, true),
        new AddRow(3, 72, true, false), new AddRow(5, 33, true, true), new AddRow(2, 3000, true, false),
        new ScaleRow(1, 1), new ScaleRow(3, 33), new ScaleRow(17, 72), new ScaleRow(2, 2501),

        new LinearRow(1, 1, 1, 1, OutIn, Activation.None, false, false),
        new LinearRow(3, 1, 7, 5, InOut, Activation.Silu, true, false),
        new LinearRow(3, 5, 33, 17, OutIn, Activation.GeluErf, true, true),
        new LinearRow(3, 7, 65, 33, InOut, Activation.GeluTanh, true, true),
        new LinearRow(2, 65, 130, 72, OutIn, Activation.Silu, false, false),
        new LinearRow(2, 65, 72, 136, OutIn, Activation.GeluErf, true, true, Aligned),
        new LinearRow(2, 33, 40, 72, InOut, Activation.None, false, false, AlignedWide),
        new LinearRow(2, 17, 40, 72, OutIn, Activation.GeluQuick, true, true, Aligned),
        new LinearRow(7, 1, 40, 72, OutIn, Activation.None, false, true, Aligned), new LinearRow(3, 5, 33, 17, OutIn, Activation.None, false, true),
        new LinearRow(2, 5, 33, 17, OutIn, Activation.None, true, false, Wide),
        new LiveLinearRow(7, 0, 5, 3), new LiveLinearRow(70, 65, 33, 17, Wide), new LiveLinearRow(150, 130, 40, 72, Aligned), new LiveLinearRow(9, 100, 8, 8, Aligned),
        new LinearBackwardInputRow(1, 1, 1, 1, OutIn, false),
        new LinearBackwardInputRow(3, 5, 17, 33, InOut, true),
        new LinearBackwardInputRow(3, 7, 33, 65, OutIn, true),
        new LinearBackwardInputRow(2, 17, 130, 72, OutIn, false),
        new LinearBackwardInputRow(2, 33, 72, 136, OutIn, true, Aligned),
        new LinearBackwardInputRow(2, 33, 136, 72, InOut, false, Aligned),
        new LinearBackwardInputRow(2, 33, 40, 72, OutIn, false, AlignedWide),
        new LinearBackwardInputRow(2, 7, 33, 17, InOut, false, Wide),
        new LinearBackwardWeightRow(1, 1, 1, 1, OutIn),
        new LinearBackwardWeightRow(3, 5, 17, 33, InOut),
        new LinearBackwardWeightRow(2, 65, 72, 17, OutIn),
        new LinearBackwardWeightRow(2, 150, 72, 136, OutIn, Aligned),
        new LinearBackwardWeightRow(2, 33, 40, 72, InOut, Aligned),
        new LinearBackwardWeightRow(2, 33, 72, 40, OutIn, AlignedWide),
        new LinearBackwardWeightRow(2, 5, 17, 33, InOut, Wide),

        .. Enum.GetValues<Activation>().SelectMany(a => (OperationRow[])
            [new ActivateRow(5, 65, a), new ActivateRow(3, 1, a), new ActivateBackwardRow(3, 33, a, false), new ActivateBackwardRow(5, 72, a, true)]),

        .. Attention.SelectMany(a => (OperationRow[])[new AttentionRow(3, a), new AttentionBackwardRow(3, a)]),

        .. Enum.GetValues<Norm>().SelectMany(n => (OperationRow[])
        [
            new NormRow(n, 3, 1, 1), new NormRow(n, 3, 7, 5), new NormRow(n, 3, 17, 33), new NormRow(n, 2, 5, 130), new NormRow(n, 2, 3, 1000),
            new NormRow(n, 2, 35, 1024), new NormRow(n, 1, 3, 1280), new NormRow(n, 1, 2, 2051),
            new NormBackwardRow(n, 3, 7, 5, false), new NormBackwardRow(n, 3, 17, 33, true), new NormBackwardRow(n, 2, 65, 72, false),
            new NormBackwardRow(n, 2, 3, 1000, true),
            new NormBackwardRow(n, 2, 70, 1024, true), new NormBackwardRow(n, 2, 67, 192, false), new NormBackwardRow(n, 1, 3, 1280, false),
            new NormBackwardRow(n, 1, 2, 2051, true),
            .. n == Norm.Ada ? Array.Empty<OperationRow>() : [new NormBackwardRow(n, 3, 5, 17, false, weights: false)],
        ]),

        new LiveRmsNormRow(7, 3, 33), new LiveRmsNormRow(70, 35, 72), new LiveRmsNormRow(5, 0, 8),

        new GroupNormRow(1, 1, 1, 1, 1, Activation.None), new GroupNormRow(3, 2, 3, 6, 3, Activation.Silu), new GroupNormRow(3, 5, 7, 33, 11, Activation.None),
        new GroupNormRow(2, 13, 17, 72, 9, Activation.Silu, aligned: true), new GroupNormRow(2, 10, 13, 768, 32, Activation.Silu, aligned: true),
        new GroupNormRow(2, 3, 3, 1032, 4, Activation.None, aligned: true), new GroupNormRow(1, 2, 3, 515, 5, Activation.Silu), new GroupNormRow(1, 129, 160, 8, 4, Activation.Silu, aligned: true),

        .. Ropes.SelectMany(r => (OperationRow[])[new QkNormRopeRow(3, r), new QkNormRopeBackwardRow(3, r), new QkNormRopeBackwardRow(2, r, weight: false)]),

        new GateResidualRow(3, 1, 1, true), new GateResidualRow(3, 5, 33, true), new GateResidualRow(2, 17, 72, false), new GateResidualRow(2, 65, 130, true),
        new GateResidualRow(2, 37, 1024, true),
        new GateResidualBackwardRow(3, 1, 1, true), new GateResidualBackwardRow(3, 33, 17, true), new GateResidualBackwardRow(2, 65, 130, true),
        new GateResidualBackwardRow(3, 7, 65, false), new GateResidualBackwardRow(2, 67, 1024, true), new GateResidualBackwardRow(3, 5, 72, false),
        new EmbeddingRow(1, 1, 1, 1, false), new EmbeddingRow(3, 7, 17, 33, true), new EmbeddingRow(2, 65, 5, 72, true), new EmbeddingRow(5, 3, 33, 5, false),
        new EmbeddingRow(2, 9, 7, 1024, true),
        new EmbeddingBackwardRow(1, 1, 1, 1), new EmbeddingBackwardRow(3, 7, 17, 33), new EmbeddingBackwardRow(2, 65, 5, 72), new EmbeddingBackwardRow(3, 400, 3, 8),
        new EmbeddingBackwardRow(2, 700, 1500, 5),
        new EmbeddingBackwardRow(1, 130, 2, 1024),
        .. Grids.SelectMany(g => (OperationRow[])[new SpaceDepthRow(true, 3, g.H, g.W, g.C), new SpaceDepthRow(false, 3, g.H, g.W, g.C)]),
        new SpaceDepthRow(true, 2, 2, 3, 1024), new SpaceDepthRow(false, 2, 2, 3, 1024), new LiveDepthToSpaceRow(7, 3, 5), new LiveDepthToSpaceRow(9, 20, 8),
        new TransposeTokensRow(3, 1, 1), new TransposeTokensRow(3, 5, 17), new TransposeTokensRow(2, 33, 7), new TransposeTokensRow(2, 65, 72),
        new TransposeTokensRow(1, 130, 33),
        new CopyTokensRow(3, 5, 9, 7, 0, 3, 5, false), new CopyTokensRow(3, 17, 5, 33, 9, 1, 3, true), new CopyTokensRow(2, 72, 72, 65, 0, 0, 72, true),
        new CopyTokensRow(2, 3, 3, 5, 1, 1, 0, false), new CopyTokensRow(2, 8, 72, 130, 0, 64, 8, false), new CopyTokensRow(2, 6, 8, 12, 2, 4, 4, true),
        new CopyTokensRow(2, 5, 3, 1024, 1, 0, 3, false),
        new GatherRowsRow(1, 1, 1), new GatherRowsRow(17, 5, 33), new GatherRowsRow(130, 65, 72), new GatherRowsRow(19, 3, 1024), new LiveGatherRowsRow(17, 9, 4, 33),
        new LiveGatherRowsRow(5, 33, 11, 72), new LiveGatherRowsRow(5, 7, 0, 8),
        new GatherRowsBackwardRow(1, 1, 1, false), new GatherRowsBackwardRow(17, 5, 33, false), new GatherRowsBackwardRow(130, 65, 72, true),
        new GatherRowsBackwardRow(7, 7, 5, true), new GatherRowsBackwardRow(19, 3, 1024, false),
        .. Convolutions.SelectMany(c => (OperationRow[])[new DepthwiseConvRow(3, c), new DepthwiseConvBackwardRow(3, c, true), new DepthwiseConvBackwardRow(2, c, false)]),
        .. Convolutions3x3.Select(c => new Conv3x3Row(c.C > 200 ? 2 : 3, c)),
        new NearestCodeRow(1, 1, 1, 1), new NearestCodeRow(3, 5, 17, 3), new NearestCodeRow(3, 45, 130, 33), new NearestCodeRow(2, 70, 600, 64, aligned: true), new NearestCodeRow(2, 3, 72, 270),
        .. Grids.SelectMany(g => (OperationRow[])[new AreaMeanRow(false, 3, g.H, g.W, 3, 2, g.C), new AreaMeanRow(true, 3, g.H, g.W, 2, 5, g.C)]),
        new AreaMeanRow(false, 2, 3, 5, 1, 1, 7), new AreaMeanRow(true, 2, 1, 1, 7, 9, 33),

        new SinusoidRow(1, 1), new SinusoidRow(7, 5), new SinusoidRow(5, 33), new SinusoidRow(250, 1, far: true), new SinusoidRow(3, 200),
        new CrossEntropyRow(1, 1, true), new CrossEntropyRow(5, 17, true), new CrossEntropyRow(7, 65, true), new CrossEntropyRow(5, 130, false),
        new CrossEntropyRow(33, 72, true), new CrossEntropyRow(2, 8192, true), new CrossEntropyRow(2, 9004, true), new CrossEntropyRow(2, 3001, true),
        new GuidedSampleRow(1, 1, 1, true), new GuidedSampleRow(5, 3, 7, true), new GuidedSampleRow(3, 11, 65, false), new GuidedSampleRow(5, 2, 130, true),
        new GuidedSampleRow(3, 11, 72, true),
        new GuidedSampleRow(2, 3, 431, true), new GuidedSampleRow(1, 2, 1025, false),
        new HeadSampleRow(1, 1, 1, 1, true), new HeadSampleRow(3, 5, 17, 33, true), new HeadSampleRow(3, 7, 72, 130, false), new HeadSampleRow(2, 65, 64, 257, true),
        new HeadSampleRow(3, 4, 128, 431, true),
        new MaskedRowsRow(1, 1, 1), new MaskedRowsRow(3, 17, 0.5), new MaskedRowsRow(2, 33, 0), new MaskedRowsRow(3, 1025, 0.7),
        new HeadRowsRow(1, new HeadGrid(1, 0, 1, 1, false), 1), new HeadRowsRow(3, new HeadGrid(3, 5, 3, 7, false), 0.4, live: true),
        new HeadRowsRow(1, new HeadGrid(1, 3, 2, 2, true), 1),
        new HeadRowsRow(3, new HeadGrid(3, 5, 6, 10, true), 0.3), new HeadRowsRow(2, new HeadGrid(2, 77, 34, 32, true), 0.2, live: true),
        .. Links.Select(link => new ScheduleActionsRow(5, link)),
        new RemaskRow(1, 1, 1), new RemaskRow(5, 17, 0), new RemaskRow(5, 33, 1.5), new RemaskRow(7, 65, 0.5), new RemaskRow(3, 130, 2),
        new LogProbGatherRow(1, 1, true, true), new LogProbGatherRow(17, 7, true, true), new LogProbGatherRow(33, 65, false, true), new LogProbGatherRow(5, 130, true, false),
        new LogProbGatherRow(33, 72, true, true),
        new LogProbGatherBackwardRow(1, 1, true, false), new LogProbGatherBackwardRow(17, 7, true, false), new LogProbGatherBackwardRow(33, 65, false, false),
        new LogProbGatherBackwardRow(5, 130, true, true), new LogProbGatherBackwardRow(7, 72, true, false),

        new ClippedObjectiveRow(1, 1, false, 0), new ClippedObjectiveRow(7, 17, true, 0), new ClippedObjectiveRow(11, 3, true, 0.1), new ClippedObjectiveRow(3, 300, false, 0.1),
        new AdamWRow(1, FirstStep), new AdamWRow(130, FirstStep), new AdamWRow(65, FirstStep with { Step = 1000 }), new AdamWRow(7217, FirstStep with { Step = 7, WeightDecay = 0, ClipNorm = 1 }),
        new AdamWRow(33, FirstStep with { ClipNorm = 100 }, all: false),
        new SquaredNormRow(1, false), new SquaredNormRow(33, true), new SquaredNormRow(7217, false), new SquaredNormRow(70001, true),
    ];
}
