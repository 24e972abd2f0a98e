using CoGrpo.CudaEmulator;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Backends.Cuda;
using CoGrpo.Runtime.Diagnostics;
using Xunit.Abstractions;

namespace CoGrpo.Tests.Cuda;

/// <summary>
/// Memory-bound operations at the row shapes of the real models (C = 1024, 8 heads of 128, V = 8192): what their kernels move, in 32-byte sectors
/// without any cache, over what they cannot do without, which is every operand once. At most 1.05 forward and 1.10 backward; no bank conflicts.
/// </summary>
public sealed class KernelTrafficTests(ITestOutputHelper output)
{
    private const int C = 1024;
    private const int Heads = 8;
    private const int Tokens = 333;
    private const int Images = 2;
    private const double Forward = 1.05;
    private const double Backward = 1.10;

    /// <summary>By operation and storage: both that activations can have, fp32 for what is fp32 always.</summary>
    public static TheoryData<string, ElementType> Cases
    {
        get
        {
            TheoryData<string, ElementType> data = [];
            foreach (string name in All.Keys)
            {
                data.Add(name, ElementType.BFloat16);
                data.Add(name, ElementType.Float32);
            }

            return data;
        }
    }

    private static Dictionary<string, (double Limit, Action<TrafficCase> Run)> All { get; } =
        new(StringComparer.Ordinal)
        {
            ["Fill"] = (Forward, t => t.Device.Fill(t.Writes(t.Rows()), 1)),
            ["Copy"] = (Forward, t => t.Device.Copy(t.Reads(t.Rows()), t.Writes(t.Rows()))),
            ["Copy to fp32"] = (Forward, t => t.Device.Copy(t.Reads(t.Rows()), t.Writes(t.Rows(), ElementType.Float32))),
            ["Add"] = (Forward, t => t.Device.Add(t.Reads(t.Rows()), t.Reads(t.Rows()), t.Writes(t.Rows()))),
            ["Scale"] = (Forward, t => t.Device.Scale(t.Reads(t.Rows()), 0.5f, t.Writes(t.Rows()))),
            ["Activate"] = (Forward, t => t.Device.Activate(t.Reads(t.Rows()), t.Writes(t.Rows()), Activation.Silu)),
            ["ActivateBackward"] = (
                Backward,
                t => t.Device.ActivateBackward(t.Reads(t.Rows()), t.Reads(t.Rows()), t.Writes(t.Rows()), Activation.GeluErf)
            ),
            ["AdaLn"] = (
                Forward,
                t =>
                    t.Device.AdaLn(
                        t.Reads(t.Tokens3()),
                        t.Reads(t.PerImage()),
                        t.Reads(t.PerImage()),
                        t.Writes(t.Tokens3()),
                        t.Writes(t.Statistics(2), ElementType.Float32),
                        1e-6f
                    )
            ),
            ["AdaLnBackward"] = (
                Backward,
                t =>
                    t.Device.AdaLnBackward(
                        t.Reads(t.Tokens3()),
                        t.Reads(t.Tokens3()),
                        t.Reads(t.PerImage()),
                        t.Reads(t.Statistics(2), ElementType.Float32),
                        t.Writes(t.Tokens3()),
                        false,
                        t.Adds(t.PerImage(), ElementType.Float32),
                        t.Adds(t.PerImage(), ElementType.Float32)
                    )
            ),
            ["RmsNorm"] = (
                Forward,
                t =>
                    t.Device.RmsNorm(
                        t.Reads(t.Rows()),
                        t.Reads(new Shape(C)),
                        t.Writes(t.Rows()),
                        t.Writes(t.Statistics(1), ElementType.Float32),
                        1e-6f
                    )
            ),
            ["RmsNormBackward"] = (
                Backward,
                t =>
                    t.Device.RmsNormBackward(
                        t.Reads(t.Rows()),
                        t.Reads(t.Rows()),
                        t.Reads(new Shape(C)),
                        t.Reads(t.Statistics(1), ElementType.Float32),
                        t.Adds(t.Rows()),
                        true,
                        t.Adds(new Shape(C), ElementType.Float32)
                    )
            ),
            ["LayerNorm"] = (
                Forward,
                t =>
                    t.Device.LayerNorm(
                        t.Reads(t.Rows()),
                        t.Reads(new Shape(C)),
                        t.Reads(new Shape(C)),
                        t.Writes(t.Rows()),
                        t.Writes(t.Statistics(2), ElementType.Float32),
                        1e-6f
                    )
            ),
            ["LayerNormBackward"] = (
                Backward,
                t =>
                    t.Device.LayerNormBackward(
                        t.Reads(t.Rows()),
                        t.Reads(t.Rows()),
                        t.Reads(new Shape(C)),
                        t.Reads(t.Statistics(2), ElementType.Float32),
                        t.Writes(t.Rows()),
                        false,
                        t.Adds(new Shape(C), ElementType.Float32),
                        t.Adds(new Shape(C), ElementType.Float32)
                    )
            ),
            ["GroupNorm"] = (
                Forward,
                t =>
                    t.Device.GroupNorm(
                        t.Held(t.Tokens3(), Images * Tokens, 2),
                        t.Reads(new Shape(C)),
                        t.Reads(new Shape(C)),
                        t.Writes(t.Tokens3()),
                        32,
                        1e-6f,
                        Activation.Silu
                    )
            ),
            ["QkNormRope"] = (
                Forward,
                t =>
                    t.Device.QkNormRope(
                        t.Reads(t.Tokens3()),
                        t.Reads(new Shape(C / Heads)),
                        t.Angles(),
                        t.Angles(),
                        t.Writes(t.Tokens3()),
                        0,
                        t.Writes(t.Statistics(Heads), ElementType.Float32),
                        Heads,
                        1e-6f
                    )
            ),
            ["QkNormRopeBackward"] = (
                Backward,
                t =>
                    t.Device.QkNormRopeBackward(
                        t.Reads(t.Tokens3()),
                        t.Reads(t.Tokens3()),
                        t.Reads(new Shape(C / Heads)),
                        t.Angles(),
                        t.Angles(),
                        t.Reads(t.Statistics(Heads), ElementType.Float32),
                        0,
                        t.Writes(t.Tokens3()),
                        t.Adds(new Shape(C / Heads), ElementType.Float32),
                        Heads
                    )
            ),
            ["GateResidual"] = (
                Forward,
                t => t.Device.GateResidual(t.Reads(t.Tokens3()), t.Reads(t.Tokens3()), t.Reads(t.PerImage()), t.Writes(t.Tokens3()))
            ),
            ["GateResidualBackward"] = (
                Backward,
                t =>
                    t.Device.GateResidualBackward(
                        t.Reads(t.Tokens3()),
                        t.Reads(t.Tokens3()),
                        t.Reads(t.PerImage()),
                        t.Writes(t.Tokens3()),
                        t.Adds(t.PerImage(), ElementType.Float32)
                    )
            ),
            ["Embedding"] = (
                Forward,
                t =>
                    t.Device.Embedding(
                        t.Indices(Images * Tokens, 8256, new Shape(Images, Tokens)),
                        t.Held(new Shape(8256, C), Images * Tokens, 1),
                        default,
                        t.Writes(t.Tokens3())
                    )
            ),
            ["EmbeddingBackward"] = (
                Backward,
                t =>
                    t.Device.EmbeddingBackward(
                        t.Reads(t.Tokens3()),
                        t.Indices(Images * Tokens, 8256, new Shape(Images, Tokens)),
                        t.Held(new Shape(8256, C), Images * Tokens, 2, ElementType.Float32),
                        default
                    )
            ),
            ["SpaceToDepth"] = (Forward, t => t.Device.SpaceToDepth(t.Reads(new Shape(1, 16, 16, C)), t.Writes(new Shape(1, 8, 8, 4 * C)))),
            ["DepthToSpace"] = (Forward, t => t.Device.DepthToSpace(t.Reads(new Shape(1, 8, 8, 4 * C)), t.Writes(new Shape(1, 16, 16, C)))),
            ["TransposeTokens"] = (Forward, t => t.Device.TransposeTokens(t.Reads(new Shape(Images, 256, C)), t.Writes(new Shape(Images, C, 256)))),
            ["CopyTokens"] = (
                Forward,
                t =>
                    t.Device.CopyTokens(
                        t.Held(new Shape(Images, Tokens, C), Images * 77, 1),
                        256,
                        t.Held(new Shape(Images, Tokens, C), Images * 77, 1),
                        0,
                        77
                    )
            ),
            ["GatherRows"] = (
                Forward,
                t => t.Device.GatherRows(t.Held(t.Rows(), 300, 1), t.Indices(300, Images * Tokens, new Shape(300)), t.Writes(new Shape(300, C)))
            ),
            ["GatherRowsBackward"] = (
                Backward,
                t =>
                    t.Device.GatherRowsBackward(
                        t.Reads(new Shape(300, C)),
                        t.Indices(300, Images * Tokens, new Shape(300)),
                        t.Writes(t.Rows()),
                        false
                    )
            ),
            ["GatherRowsBackward added"] = (
                Backward,
                t =>
                    t.Device.GatherRowsBackward(
                        t.Reads(new Shape(300, C)),
                        t.Indices(300, Images * Tokens, new Shape(300)),
                        t.Held(t.Rows(), 300, 2),
                        true
                    )
            ),
            ["DepthwiseConv"] = (
                Forward,
                t =>
                    t.Device.DepthwiseConv(
                        t.Reads(new Shape(Images, 16, 16, C)),
                        t.Reads(new Shape(C, 1, 3, 3)),
                        t.Reads(new Shape(C)),
                        t.Writes(new Shape(Images, 8, 8, C))
                    )
            ),
            ["DepthwiseConvBackward"] = (
                Backward,
                t =>
                    t.Device.DepthwiseConvBackward(
                        t.Reads(new Shape(Images, 8, 8, C)),
                        t.Reads(new Shape(Images, 16, 16, C)),
                        t.Reads(new Shape(C, 1, 3, 3)),
                        t.Writes(new Shape(Images, 16, 16, C)),
                        t.Adds(new Shape(C, 1, 3, 3), ElementType.Float32),
                        t.Adds(new Shape(C), ElementType.Float32)
                    )
            ),
            ["AreaMean"] = (Forward, t => t.Device.AreaMean(t.Reads(new Shape(Images, 32, 32, C)), t.Writes(new Shape(Images, 16, 16, C)))),
            ["AreaMeanBackward"] = (
                Backward,
                t => t.Device.AreaMeanBackward(t.Reads(new Shape(Images, 16, 16, C)), t.Writes(new Shape(Images, 32, 32, C)))
            ),
            ["Sinusoid"] = (
                Forward,
                t =>
                    t.Device.Sinusoid(
                        t.Reads(new Shape(300), ElementType.Float32),
                        t.Reads(new Shape(C / 2), ElementType.Float32),
                        t.Writes(new Shape(300, C))
                    )
            ),
            ["CrossEntropy"] = (
                Forward,
                t =>
                    t.Device.CrossEntropy(
                        t.Reads(new Shape(100, 8192), ElementType.Float32),
                        t.Indices(100, 8192, new Shape(100)),
                        1,
                        t.Writes(new Shape(100), ElementType.Float32),
                        t.Writes(new Shape(100, 8192), ElementType.Float32)
                    )
            ),
            ["CrossEntropy without gradient"] = (
                Forward,
                t =>
                    t.Device.CrossEntropy(
                        t.Reads(new Shape(100, 8192), ElementType.Float32),
                        t.Indices(100, 8192, new Shape(100)),
                        1,
                        t.Writes(new Shape(100), ElementType.Float32),
                        default
                    )
            ),
        };

    [Theory]
    [MemberData(nameof(Cases))]
    public void MovesLittleMoreThanItsOperands(string name, ElementType storage)
    {
        (double limit, Action<TrafficCase> run) = All[name];

        // What the kernels compute is checked elsewhere, with every access watched.
        using CudaBackend backend = EmulatedBackend.Create(EmulatedBackend.Sm80, storage, new EmulatorOptions { Checks = EmulatorCheck.None });
        using TrafficCase traffic = new(backend, Images, Tokens, C, Heads);
        using LaunchRecording recording = EmulatedMachine.CurrentContext.Record();
        run(traffic);
        LaunchCounters[] launches = [.. recording.Launches.Select(launch => launch.Counters)];
        double moved = 32.0 * launches.Sum(c => c.GlobalSectorsRead + c.GlobalSectorsWritten);
        double ratio = moved / traffic.FloorBytes;
        string report = $"{name} in {storage}: {moved} bytes moved for {traffic.FloorBytes}, ratio {ratio:F3}";
        output.WriteLine(report);
        Assert.True(ratio <= limit, $"{report}, wanted at most {limit}\n{string.Join('\n', recording.Launches)}");
        Assert.True(ratio > 0.99, $"{report}: less than the operands themselves; the floor is wrong");
        long conflicts = launches.Sum(c => c.BankConflicts);
        Assert.True(conflicts == 0, $"{name} in {storage}: {conflicts} bank conflicts\n{string.Join('\n', recording.Launches)}");
    }

    /// <summary>
    /// Rows of logits and flat runs of weights, at the sizes that the benchmark has (V = 8192), against the cost that the plan counts.
    /// </summary>
    [Theory]
    [InlineData(nameof(IBackend.GuidedSample), Forward)]
    [InlineData(nameof(IBackend.LogProbGather), Forward)]
    [InlineData(nameof(IBackend.LogProbGatherBackward), Backward)]
    [InlineData(nameof(IBackend.AdamW), Forward)]
    [InlineData(nameof(IBackend.SquaredNorm), Forward)]
    public void MovesLittleMoreThanItsPlan(string operation, double limit)
    {
        OperationCase[] cases = [.. OperationCases.Of(64).Where(c => c.Operation == operation)];
        Assert.NotEmpty(cases);
        foreach (ElementType storage in new[] { ElementType.Float32, ElementType.BFloat16 })
        {
            foreach (OperationCase @case in cases)
            {
                using CudaBackend backend = EmulatedBackend.Create(
                    EmulatedBackend.Sm80,
                    storage,
                    new EmulatorOptions { Checks = EmulatorCheck.None }
                );
                using Arena arena = backend.CreateArena("traffic", 16 << 20);
                PreparedCase prepared = @case.Prepare(backend, arena, storage);
                using LaunchRecording recording = EmulatedMachine.CurrentContext.Record();
                int before = recording.Launches.Count;
                prepared.Run();
                double moved =
                    32.0 * recording.Launches.Skip(before).Sum(launch => launch.Counters.GlobalSectorsRead + launch.Counters.GlobalSectorsWritten);
                double ratio = moved / OperationComparison.CostOf(@case, storage).Bytes;
                string report = $"{@case} in {storage}: {moved} bytes moved, ratio {ratio:F3}";
                output.WriteLine(report);
                Assert.True(ratio <= limit, $"{report}, wanted at most {limit}");
                Assert.True(ratio > 0.99, $"{report}: less than the operands themselves; the floor is wrong");
            }
        }
    }
}
