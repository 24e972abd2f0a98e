using CoGrpo.Runtime.Backends;

namespace CoGrpo.Tests.Runtime.OperationTable;

/// <summary>Every operation of <see cref="IBackend"/> with the sizes and flags it is checked at, in the order of the interface.</summary>
internal static class Table
{
    private const WeightLayout OutIn = WeightLayout.OutIn;
    private const WeightLayout InOut = WeightLayout.InOut;

    public static IReadOnlyList<OperationRow> Rows { get; } =
    [
        new RoundTripRow(nameof(IBackend.Upload), 3, 17),
        new RoundTripRow(nameof(IBackend.Download), 5, 33),
        new FillRow(1, 1), new FillRow(3, 7), new FillRow(5, 65), new FillRow(130, 72),
        new CopyRow(1, 1, 0, 0), new CopyRow(3, 5, 2, 0), new CopyRow(5, 33, 0, 3), new CopyRow(65, 130, 1, 6),
        new AddRow(3, 1, true, false), new AddRow(5, 17, true, true), new AddRow(7, 65, false, false), new AddRow(33, 130, false, true), new AddRow(3, 72, true, false),
        new ScaleRow(1, 1), new ScaleRow(3, 33), new ScaleRow(17, 72),

        new LinearRow(1, 1, 1, 1, OutIn, Activation.None, false, false),
        new LinearRow(3, 1, 7, 5, InOut, Activation.Silu, true, false),
        new LinearRow(3, 5, 33, 17, OutIn, Activation.GeluErf, true, true),
        new LinearRow(3, 7, 65, 33, InOut, Activation.GeluTanh, true, true),
        new LinearRow(2, 65, 130, 72, OutIn, Activation.Silu, false, false),
        new LinearBackwardInputRow(1, 1, 1, 1, OutIn, false),
        new LinearBackwardInputRow(3, 5, 17, 33, InOut, true),
        new LinearBackwardInputRow(3, 7, 33, 65, OutIn, true),
        new LinearBackwardInputRow(2, 17, 130, 72, OutIn, false),
        new LinearBackwardWeightRow(1, 1, 1, 1, OutIn),
        new LinearBackwardWeightRow(3, 5, 17, 33, InOut),
        new LinearBackwardWeightRow(2, 65, 72, 17, OutIn),

        .. Enum.GetValues<Activation>().SelectMany(a => (OperationRow[])
            [new ActivateRow(5, 65, a), new ActivateRow(3, 1, a), new ActivateBackwardRow(3, 33, a, false), new ActivateBackwardRow(5, 72, a, true)]),

        .. Enum.GetValues<Norm>().SelectMany(n => (OperationRow[])
        [
            new NormRow(n, 3, 1, 1), new NormRow(n, 3, 7, 5), new NormRow(n, 3, 17, 33), new NormRow(n, 2, 5, 130), new NormRow(n, 2, 3, 1000),
            new NormBackwardRow(n, 3, 7, 5, false), new NormBackwardRow(n, 3, 17, 33, true), new NormBackwardRow(n, 2, 65, 72, false), new NormBackwardRow(n, 2, 3, 1000, true),
            .. n == Norm.Ada ? Array.Empty<OperationRow>() : [new NormBackwardRow(n, 3, 5, 17, false, weights: false)],
        ]),
    ];
}
