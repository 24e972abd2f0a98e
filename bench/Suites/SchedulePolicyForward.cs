using BenchmarkDotNet.Attributes;
using CoGrpo.Model;
using CoGrpo.Model.Schedule;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;

namespace CoGrpo.Bench.Suites;

/// <summary>
/// The schedule policy's mean for 64 images of width 128. Multiply-adds per image in the names of <see cref="SchedulePolicyConfig"/>:
/// f·e + e² (time) + 2e(d + m1 + m2) (modulations) + 9d·g² + c·d·g² (convolutions) + c·g²·m1 + m1·m2 + 4·m2 (MLP).
/// </summary>
public class SchedulePolicyForward : OperationSuite, IMeasuredWork
{
    private const int Images = 64;
    private static readonly SchedulePolicyConfig Sizes128 = SchedulePolicyConfig.ForWidth(128);

    private SchedulePolicy _policy = null!;
    private Arena _work = null!;
    private Tape _tape = null!;
    private Tensor _features, _time;

    [GlobalSetup]
    public void Setup()
    {
        Start();
        _policy = new SchedulePolicy(Sizes128, Backend);
        Initialisation.SchedulePolicy(_policy.Parameters, Backend, 1);
        _work = Backend.CreateArena("activations", 1 << 22);
        _tape = new Tape(Backend, _work, _work);
        int side = Sizes128.PooledGrid;
        _features = Normal(Images, side * side, Sizes128.FeatureDim);
        _time = Constant(3, Images);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _policy.Dispose();
        _work.Dispose();
        Stop();
    }

    [Benchmark]
    public void Forward()
    {
        ArenaMark mark = _work.Mark();
        _tape.Begin(recording: false);
        _policy.Forward(_tape, _features, Sizes128.PooledGrid, Sizes128.PooledGrid, _time);
        _work.Release(mark);
    }

    public Work WorkOf(string method)
    {
        (double d, double f, double e, double c, double m1, double m2) = (
            Sizes128.FeatureDim,
            Sizes128.SinusoidDim,
            Sizes128.TimeDim,
            Sizes128.Pointwise,
            Sizes128.Mlp1,
            Sizes128.Mlp2
        );
        double cells = Sizes128.Grid * Sizes128.Grid;
        double macs =
            (f * e)
            + (e * e)
            + (2 * e * (d + m1 + m2))
            + (9 * d * cells)
            + (c * d * cells)
            + (c * cells * m1)
            + (m1 * m2)
            + (SchedulePolicyConfig.Actions * m2);
        return new Work(2e-9 * Images * macs, double.NaN, Environment.ProcessorCount);
    }
}
