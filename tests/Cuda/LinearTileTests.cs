using CoGrpo.CudaEmulator;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Backends.Cuda;
using CoGrpo.Runtime.Cuda;
using CoGrpo.Tests.Runtime.OperationTable;

namespace CoGrpo.Tests.Cuda;

/// <summary>The tiles of the matrix product on tensor cores: which one is taken changes speed, never bits.</summary>
public sealed class LinearTileTests(EmulatedBackend device) : IClassFixture<EmulatedBackend>
{
    private static readonly LinearForm Aligned = new(Aligned: true);

    /// <summary>More than one tile in each direction of the largest one, none of them whole at the edge, every part of the epilogue.</summary>
    private static readonly Dictionary<string, OperationRow> Rows = new OperationRow[]
    {
        new LinearRow(2, 70, 72, 264, WeightLayout.OutIn, Activation.GeluTanh, true, true, Aligned),
        new LinearRow(2, 70, 40, 264, WeightLayout.InOut, Activation.None, false, false, new LinearForm(Aligned: true, Wide: true)),
        new LinearBackwardInputRow(2, 70, 264, 72, WeightLayout.OutIn, true, Aligned),
        new LinearBackwardInputRow(2, 70, 264, 40, WeightLayout.InOut, false, Aligned),
        new LinearBackwardWeightRow(2, 150, 136, 72, WeightLayout.OutIn, Aligned),
        new Conv3x3Row(2, new Conv3x3Size(7, 10, 40, 264, ConvForm.Same, Residual: true, Aligned: true)),
        new Conv3x3Row(1, new Conv3x3Size(9, 11, 40, 264, ConvForm.Doubled, Aligned: true)),
    }.ToDictionary(row => row.ToString(), StringComparer.Ordinal);

    public static TheoryData<string> Names => [.. Rows.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void EveryTileGivesTheSameBits(string name) => device.Use(EmulatedBackend.Sm80, ElementType.BFloat16, backend =>
    {
        OperationRow row = Rows[name];
        ulong[][] bits = OperationRun.Draw(row, backend.Storage);
        ulong[][]? first = null;
        HashSet<string> kernels = new(StringComparer.Ordinal);
        LinearTile[] tiles = [LinearTile.Small, LinearTile.Medium, LinearTile.Large];
        try
        {
            foreach (LinearTile tile in tiles)
            {
                backend.OnlyTile = tile;
                using LaunchRecording recording = EmulatedMachine.CurrentContext.Record();
                OperationChecks.Accuracy(backend, row);
                ulong[][] got = OperationRun.Execute(backend, row, bits);
                kernels.UnionWith(recording.Launches.Select(launch => launch.Kernel).Where(kernel => kernel.StartsWith("linear", StringComparison.Ordinal) || kernel.StartsWith("conv3x3_", StringComparison.Ordinal)));
                first ??= got;
                for (int i = 0; i < got.Length; i++)
                {
                    Assert.True(first[i].AsSpan().SequenceEqual(got[i]), $"{row}: {row.Operands[i].Name} differs between tiles of {tiles[0]} and {tile}");
                }
            }
        }
        finally
        {
            backend.OnlyTile = null;
        }

        // The gradient of a weight has two tiles and the kernel of dbias.
        Assert.Equal(3, kernels.Count);
    });

    /// <summary>
    /// Few rows on many multiprocessors take small tiles, many rows large ones: the choice is by the time of the busiest multiprocessor.
    /// </summary>
    [Fact]
    public void TheTimeOfATileGrowsWithItsRoundsOnTheDevice()
    {
        // 276 tiles of 128 x 256 need three rounds on 132 multiprocessors, 552 of 128 x 128 need five, 2208 of 64 x 64 seventeen.
        Assert.Equal(3 * 128 * 256 * LinearTile.Large.Cost, LinearTile.Large.Time(8808, 1024, 1, 132));
        Assert.Equal(5 * 128 * 128 * LinearTile.Medium.Cost, LinearTile.Medium.Time(8808, 1024, 1, 132));
        Assert.Equal(17 * 64 * 64 * LinearTile.Small.Cost, LinearTile.Small.Time(8808, 1024, 1, 132));
        Assert.True(LinearTile.Medium.Time(8808, 1024, 1, 132) < LinearTile.Large.Time(8808, 1024, 1, 132));
        Assert.True(LinearTile.Small.Time(77, 1024, 1, 132) < LinearTile.Medium.Time(77, 1024, 1, 132));
    }
}
