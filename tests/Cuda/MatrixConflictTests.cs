using CoGrpo.CudaEmulator;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Backends.Cuda;
using CoGrpo.Tests.Runtime.OperationTable;
using Xunit.Abstractions;

namespace CoGrpo.Tests.Cuda;

/// <summary>
/// Matrix products, convolutions, attention, the fused head and the nearest code read and write shared memory without a bank conflict, epilogues
/// included, at every tile, head width and alignment.
/// </summary>
public sealed class MatrixConflictTests(ITestOutputHelper output)
{
    private static readonly string[] Operations =
    [
        nameof(IBackend.Linear),
        nameof(IBackend.LinearBackwardInput),
        nameof(IBackend.LinearBackwardWeight),
        nameof(IBackend.Attention),
        nameof(IBackend.AttentionBackward),
        nameof(IBackend.HeadSample),
        nameof(IBackend.Conv3x3),
        nameof(IBackend.NearestCode),
    ];

    public static TheoryData<string, ElementType> Cases
    {
        get
        {
            TheoryData<string, ElementType> cases = [];
            foreach (string operation in Operations)
            {
                cases.Add(operation, ElementType.Float32);
                cases.Add(operation, ElementType.BFloat16);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void SharedMemoryIsReadAndWrittenWithoutConflicts(string operation, ElementType storage)
    {
        using CudaBackend backend = EmulatedBackend.Create(
            EmulatedBackend.Sm80,
            storage,
            new EmulatorOptions { Checks = EmulatorCheck.None, CountLines = _ => true }
        );
        using LaunchRecording recording = EmulatedMachine.CurrentContext.Record();
        LinearTile?[] tiles =
            (operation.StartsWith("Linear", StringComparison.Ordinal) || operation == nameof(IBackend.Conv3x3)) && storage == ElementType.BFloat16
                ? [LinearTile.Small, LinearTile.Medium, LinearTile.Large]
                : [null];
        foreach (LinearTile? tile in tiles)
        {
            backend.OnlyTile = tile;
            foreach (OperationRow row in Table.Rows.Where(row => row.Operation == operation))
            {
                OperationRun.Execute(backend, row, OperationRun.Draw(row, storage));
            }
        }

        // Adding partial results is the row kernels' business.
        LaunchReport[] launches = [.. recording.Launches.Where(launch => launch.Kernel != "columnsum_f32")];
        Assert.NotEmpty(launches);
        foreach (IGrouping<string, LaunchReport> kernel in launches.GroupBy(launch => launch.Kernel, StringComparer.Ordinal))
        {
            output.WriteLine($"{kernel.Key}: {kernel.Sum(launch => launch.Counters.SharedWavefronts)} passes in {kernel.Count()} launches");
        }

        Assert.Equal([], launches.Where(launch => launch.Counters.BankConflicts > 0).Select(launch =>
            $"{launch.Kernel}, grid {launch.Grid}: {string.Join(", ", launch.Lines.Where(line => line.Value.BankConflicts > 0).Select(line => $"{line.Key} {line.Value.BankConflicts} of {line.Value.SharedWavefronts} passes"))}"));
    }
}
