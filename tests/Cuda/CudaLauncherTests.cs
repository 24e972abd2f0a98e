using CoGrpo.CudaEmulator;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Backends.Cuda;

namespace CoGrpo.Tests.Cuda;

/// <summary>
/// What launchers do before a kernel runs: refuse operands that do not fit, in the words of the CPU backend, and leave out launches without work.
/// </summary>
public sealed class CudaLauncherTests(EmulatedBackend device) : IClassFixture<EmulatedBackend>
{
    private delegate Tensor Make(params int[] sizes);

    private static readonly Dictionary<string, Action<IBackend, Make>> Wrong = new(StringComparer.Ordinal)
    {
        ["Copy rows"] = (b, f) => b.Copy(f(3, 5), f(2, 5)),
        ["Copy types"] = (b, f) => b.Copy(f(3, 5), new Tensor(f(3, 5).Address, new Shape(3, 5), ElementType.Int32)),
        ["Add columns"] = (b, f) => b.Add(f(3, 5), f(3, 4), f(3, 5)),
        ["Scale stride"] = (b, f) => b.Scale(f(3, 6).ColumnRange(0, 5), 2, f(3, 5)),
        ["Activate"] = (b, f) => b.Activate(f(3, 5), f(3, 6), Activation.Silu),
        ["ActivateBackward"] = (b, f) => b.ActivateBackward(f(3, 5), f(3, 5), f(4, 5), Activation.Silu),
        ["AdaLn images"] = (b, f) => b.AdaLn(f(2, 3, 5), f(3, 5), f(3, 5), f(2, 3, 5), f(12), 1e-6f),
        ["AdaLn stats"] = (b, f) => b.AdaLn(f(2, 3, 5), f(2, 5), f(2, 5), f(2, 3, 5), f(11), 1e-6f),
        ["AdaLnBackward dscale"] = (b, f) => b.AdaLnBackward(f(2, 3, 5), f(2, 3, 5), f(2, 5), f(12), f(2, 3, 5), false, f(2, 5), f(2, 4)),
        ["RmsNorm weight"] = (b, f) => b.RmsNorm(f(3, 5), f(4), f(3, 5), f(3), 1e-6f),
        ["RmsNormBackward dweight"] = (b, f) => b.RmsNormBackward(f(3, 5), f(3, 5), f(5), f(3), f(3, 5), false, f(6)),
        ["LayerNorm bias"] = (b, f) => b.LayerNorm(f(3, 5), f(5), f(6), f(3, 5), f(6), 1e-6f),
        ["LayerNormBackward dx"] = (b, f) => b.LayerNormBackward(f(3, 5), f(3, 5), f(5), f(6), f(3, 4), false, f(5), f(5)),
        ["QkNormRope width"] = (b, f) => b.QkNormRope(f(1, 3, 6), f(3), f(3, 1), f(3, 1), f(1, 3, 6), 0, f(6), 2, 1e-6f),
        ["QkNormRope room"] = (b, f) => b.QkNormRope(f(1, 3, 8), f(4), f(9, 2), f(9, 2), f(1, 4, 8), 2, f(6), 2, 1e-6f),
        ["QkNormRope angles"] = (b, f) => b.QkNormRope(f(1, 3, 8), f(4), f(5, 2), f(4, 2), f(1, 5, 8), 2, f(6), 2, 1e-6f),
        ["QkNormRopeBackward dx"] = (b, f) => b.QkNormRopeBackward(f(1, 5, 8), f(1, 3, 8), f(4), f(5, 2), f(5, 2), f(6), 2, f(1, 2, 8), f(4), 2),
        ["GateResidual gate"] = (b, f) => b.GateResidual(f(2, 3, 5), f(2, 3, 5), f(3, 5), f(2, 3, 5)),
        ["GateResidualBackward dgate"] = (b, f) => b.GateResidualBackward(f(2, 3, 5), f(2, 3, 5), default, f(2, 3, 5), f(2, 5)),
        ["Embedding positions"] = (b, f) => b.Embedding(Integers(f(2, 3)), f(7, 5), f(2, 5), f(2, 3, 5)),
        ["EmbeddingBackward dtable"] = (b, f) => b.EmbeddingBackward(f(2, 3, 5), Integers(f(2, 3)), f(7, 4), default),
        ["SpaceToDepth"] = (b, f) => b.SpaceToDepth(f(1, 4, 5, 3), f(1, 2, 2, 12)),
        ["DepthToSpace"] = (b, f) => b.DepthToSpace(f(1, 2, 2, 12), f(2, 4, 4, 3)),
        ["TransposeTokens"] = (b, f) => b.TransposeTokens(f(2, 3, 5), f(2, 3, 5)),
        ["CopyTokens source"] = (b, f) => b.CopyTokens(f(2, 3, 5), 1, f(2, 9, 5), 0, 3),
        ["CopyTokens target"] = (b, f) => b.CopyTokens(f(2, 9, 5), 0, f(2, 3, 5), 2, 2),
        ["GatherRows"] = (b, f) => b.GatherRows(f(9, 5), Integers(f(4)), f(3, 5)),
        ["GatherRowsBackward"] = (b, f) => b.GatherRowsBackward(f(4, 5), Integers(f(4)), f(9, 6), true),
        ["DepthwiseConv size"] = (b, f) => b.DepthwiseConv(f(1, 5, 5, 2), f(2, 1, 3, 3), f(2), f(1, 3, 2, 2)),
        ["DepthwiseConvBackward dbias"] = (b, f) =>
            b.DepthwiseConvBackward(f(1, 3, 3, 2), f(1, 5, 5, 2), f(2, 1, 3, 3), default, f(2, 1, 3, 3), f(3)),
        ["GroupNorm groups"] = (b, f) => b.GroupNorm(f(1, 3, 6), f(6), f(6), f(1, 3, 6), 4, 1e-6f),
        ["GroupNorm bias"] = (b, f) => b.GroupNorm(f(1, 3, 6), f(6), f(5), f(1, 3, 6), 3, 1e-6f),
        ["GroupNorm images"] = (b, f) => b.GroupNorm(f(3, 6), f(6), f(6), f(3, 6), 3, 1e-6f),
        ["Conv3x3 weight"] = (b, f) => b.Conv3x3(f(1, 4, 4, 2), f(3, 3, 3, 3), f(3), f(1, 4, 4, 3), ConvForm.Same),
        ["Conv3x3 same"] = (b, f) => b.Conv3x3(f(1, 4, 4, 2), f(3, 3, 3, 2), f(3), f(1, 4, 5, 3), ConvForm.Same),
        ["Conv3x3 halved"] = (b, f) => b.Conv3x3(f(1, 5, 5, 2), f(3, 3, 3, 2), f(3), f(1, 3, 3, 3), ConvForm.Halved),
        ["Conv3x3 doubled"] = (b, f) => b.Conv3x3(f(1, 5, 5, 2), f(3, 3, 3, 2), f(3), f(1, 5, 5, 3), ConvForm.Doubled),
        ["Conv3x3 residual"] = (b, f) => b.Conv3x3(f(1, 4, 4, 2), f(3, 3, 3, 2), default, f(1, 4, 4, 3), ConvForm.Same, f(1, 4, 4, 2)),
        ["NearestCode width"] = (b, f) => b.NearestCode(f(3, 5), f(7, 4), Integers(f(3))),
        ["NearestCode codes"] = (b, f) => b.NearestCode(f(3, 5), f(7, 5), f(3)),
        ["NearestCode codebook"] = (b, f) => b.NearestCode(f(3, 5), f(0, 5), Integers(f(3))),
        ["AreaMean"] = (b, f) => b.AreaMean(f(1, 4, 4, 2), f(1, 3, 4, 2)),
        ["AreaMeanBackward"] = (b, f) => b.AreaMeanBackward(f(1, 2, 2, 3), f(1, 4, 4, 2)),
        ["Sinusoid"] = (b, f) => b.Sinusoid(f(3), f(5), f(3, 11)),
        ["CrossEntropy labels"] = (b, f) => b.CrossEntropy(f(3, 5), Integers(f(4)), 1, f(3), default),
        ["CrossEntropy dlogits"] = (b, f) => b.CrossEntropy(f(3, 5), Integers(f(3)), 1, f(3), f(3, 4)),
    };

    private static readonly Dictionary<string, Action<IBackend, Make>> Empty = new(StringComparer.Ordinal)
    {
        ["Copy"] = (b, f) => b.Copy(f(0, 5), f(0, 5)),
        ["Add"] = (b, f) => b.Add(f(0, 5), f(0, 5), f(0, 5), true),
        ["Scale"] = (b, f) => b.Scale(f(0, 5), 2, f(0, 5)),
        ["Activate"] = (b, f) => b.Activate(f(0, 5), f(0, 5), Activation.Silu),
        ["ActivateBackward"] = (b, f) => b.ActivateBackward(f(0, 5), f(0, 5), f(0, 5), Activation.Silu),
        ["AdaLn"] = (b, f) => b.AdaLn(f(2, 0, 5), f(2, 5), f(2, 5), f(2, 0, 5), f(0), 1e-6f),
        ["AdaLnBackward"] = (b, f) => b.AdaLnBackward(f(2, 0, 5), f(2, 0, 5), f(2, 5), f(0), f(2, 0, 5), false, f(2, 5), f(2, 5)),
        ["RmsNorm"] = (b, f) => b.RmsNorm(f(0, 5), f(5), f(0, 5), f(0), 1e-6f),
        ["RmsNormBackward"] = (b, f) => b.RmsNormBackward(f(0, 5), f(0, 5), f(5), f(0), f(0, 5), false, f(5)),
        ["LayerNorm"] = (b, f) => b.LayerNorm(f(0, 5), f(5), f(5), f(0, 5), f(0), 1e-6f),
        ["LayerNormBackward"] = (b, f) => b.LayerNormBackward(f(0, 5), f(0, 5), f(5), f(0), f(0, 5), false, f(5), f(5)),
        ["QkNormRope"] = (b, f) => b.QkNormRope(f(1, 0, 8), f(4), f(5, 2), f(5, 2), f(1, 5, 8), 2, f(0), 2, 1e-6f),
        ["QkNormRopeBackward"] = (b, f) => b.QkNormRopeBackward(f(1, 5, 8), f(1, 0, 8), f(4), f(5, 2), f(5, 2), f(0), 2, f(1, 0, 8), f(4), 2),
        ["GateResidual"] = (b, f) => b.GateResidual(f(2, 0, 5), f(2, 0, 5), f(2, 5), f(2, 0, 5)),
        ["GateResidualBackward"] = (b, f) => b.GateResidualBackward(f(2, 0, 5), f(2, 0, 5), f(2, 5), f(2, 0, 5), f(2, 5)),
        ["Embedding"] = (b, f) => b.Embedding(Integers(f(0, 3)), f(7, 5), default, f(0, 3, 5)),
        ["EmbeddingBackward"] = (b, f) => b.EmbeddingBackward(f(0, 3, 5), Integers(f(0, 3)), f(7, 5), f(3, 5)),
        ["SpaceToDepth"] = (b, f) => b.SpaceToDepth(f(0, 4, 4, 3), f(0, 2, 2, 12)),
        ["TransposeTokens"] = (b, f) => b.TransposeTokens(f(2, 0, 5), f(2, 5, 0)),
        ["CopyTokens"] = (b, f) => b.CopyTokens(f(2, 3, 5), 3, f(2, 9, 5), 9, 0),
        ["GatherRows"] = (b, f) => b.GatherRows(f(9, 5), Integers(f(0)), f(0, 5)),
        ["GatherRowsBackward"] = (b, f) => b.GatherRowsBackward(f(0, 5), Integers(f(0)), f(9, 5), true),
        ["DepthwiseConv"] = (b, f) => b.DepthwiseConv(f(0, 5, 5, 2), f(2, 1, 3, 3), f(2), f(0, 3, 3, 2)),
        ["DepthwiseConvBackward"] = (b, f) => b.DepthwiseConvBackward(f(0, 3, 3, 2), f(0, 5, 5, 2), f(2, 1, 3, 3), default, f(2, 1, 3, 3), f(2)),
        ["GroupNorm"] = (b, f) => b.GroupNorm(f(2, 0, 6), f(6), f(6), f(2, 0, 6), 3, 1e-6f),
        ["Conv3x3"] = (b, f) => b.Conv3x3(f(1, 1, 3, 2), f(3, 3, 3, 2), f(3), f(1, 0, 1, 3), ConvForm.Halved),
        ["NearestCode"] = (b, f) => b.NearestCode(f(0, 5), f(7, 5), Integers(f(0))),
        ["AreaMean"] = (b, f) => b.AreaMean(f(0, 4, 4, 2), f(0, 2, 2, 2)),
        ["Sinusoid"] = (b, f) => b.Sinusoid(f(0), f(5), f(0, 10)),
        ["CrossEntropy"] = (b, f) => b.CrossEntropy(f(0, 5), Integers(f(0)), 1, f(0), default),
    };

    public static TheoryData<string> WrongCalls => [.. Wrong.Keys];

    public static TheoryData<string> EmptyCalls => [.. Empty.Keys];

    [Theory]
    [MemberData(nameof(WrongCalls))]
    public void RefusesWhatTheCpuRefuses(string name)
    {
        using CpuBackend cpu = new(1);
        string wanted = Assert.Throws<TensorException>(() => Run(cpu, Wrong[name])).Message;
        device.Use(
            EmulatedBackend.Sm80,
            ElementType.Float32,
            cuda => Assert.Equal(wanted, Assert.Throws<TensorException>(() => Run(cuda, Wrong[name])).Message)
        );
    }

    [Theory]
    [MemberData(nameof(EmptyCalls))]
    public void NoWorkIsNoLaunch(string name) => device.Use(EmulatedBackend.Sm80, ElementType.Float32, cuda =>
    {
        cuda.Synchronize();
        using LaunchRecording recording = EmulatedMachine.CurrentContext.Record();
        Run(cuda, Empty[name]);
        Assert.Empty(recording.Launches);
    });

    private static Tensor Integers(Tensor x) => new(x.Address, x.Shape, ElementType.Int32);

    private static void Run(IBackend backend, Action<IBackend, Make> call)
    {
        using Arena arena = backend.CreateArena("launcher", 1 << 16);
        call(backend, sizes => arena.Allocate(Shape.Of(sizes)));
    }
}
