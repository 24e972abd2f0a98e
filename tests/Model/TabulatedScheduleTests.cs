using CoGrpo.Model.Schedule;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Tests.Model;

public sealed class TabulatedScheduleTests
{
    private static readonly ScheduleParametrization Parametrization = new(
        new ScheduleParametrizationSettings { HandMade = new HandMadeSettings { Guidance = 2 } }
    );

    [Fact]
    public void At_the_trained_steps_it_is_the_table()
    {
        double[] table = [.. Enumerable.Range(0, 7 * ScheduleAction.Count).Select(i => Math.Sin(i))];
        var schedule = new TabulatedSchedule(Parametrization, table);
        for (int t = 0; t < 7; t++)
        {
            Assert.Equal(table[(t * ScheduleAction.Count)..((t + 1) * ScheduleAction.Count)], Raw(schedule, t, 7));
        }
    }

    [Fact]
    public void Between_trained_steps_it_is_linear_in_the_share_of_steps_behind()
    {
        // Two trained steps end at u = 1/2 and u = 1; four steps end at 1/4 (held at the first), 1/2, 3/4 and 1.
        var schedule = new TabulatedSchedule(Parametrization, [1, 10, -1, 0, 3, 20, -2, 0]);
        Assert.Equal([1, 10, -1, 0], Raw(schedule, 0, 4));
        Assert.Equal([1, 10, -1, 0], Raw(schedule, 1, 4));
        Assert.Equal([2, 15, -1.5, 0], Raw(schedule, 2, 4));
        Assert.Equal([3, 20, -2, 0], Raw(schedule, 3, 4));
        Assert.Equal([3, 20, -2, 0], Raw(schedule, 0, 1));
    }

    [Fact]
    public void A_table_of_zeros_is_the_hand_made_schedule()
    {
        var schedule = new TabulatedSchedule(Parametrization, new double[6 * ScheduleAction.Count]);
        ScheduleState state = ScheduleState.Start;
        for (int t = 0; t < 9; t++)
        {
            ScheduleAction action = schedule.At(t, 9, ref state, new double[4]);
            ScheduleAction expected = Parametrization.Settings.HandMade.At(t, 9);
            Assert.Equal(expected.Remask, action.Remask, 12);
            Assert.Equal(expected.SamplingTemperature, action.SamplingTemperature, 12);
            Assert.Equal(expected.Guidance, action.Guidance, 12);
            Assert.True(schedule.Guides(t, 9));
        }
    }

    [Fact]
    public void Every_image_gets_the_same_actions_before_sampling_starts()
    {
        using var backend = new CpuBackend(1);
        using Arena arena = backend.CreateArena("test", 1 << 12);
        var schedule = new TabulatedSchedule(Parametrization, [0.1, 0.2, 0.3, 0.4, -0.1, 0.5, 0, 0.2]);
        Tensor[] tensors = [.. Enumerable.Range(0, 3).Select(_ => arena.Allocate(new Shape(3 * 2, 4), ElementType.Float64))];
        schedule.Begin(
            new ScheduleCall
            {
                Backend = backend,
                Steps = 3,
                Images = 2,
                FirstImage = 5,
                Actions = tensors[0],
                RawActions = tensors[1],
                Means = tensors[2],
            }
        );
        double[][] values =
        [
            .. tensors.Select(tensor =>
            {
                double[] all = new double[24];
                backend.Download<double>(tensor, all);
                return all;
            }),
        ];
        ScheduleState state = ScheduleState.Start;
        double[] raw = new double[4];
        for (int t = 0; t < 3; t++)
        {
            ScheduleAction action = schedule.At(t, 3, ref state, raw);
            for (int b = 0; b < 2; b++)
            {
                int at = ((2 * t) + b) * 4;
                Assert.Equal([.. Enumerable.Range(0, 4).Select(action.Component)], values[0][at..(at + 4)]);
                Assert.Equal(raw, values[1][at..(at + 4)]);
                Assert.Equal(raw, values[2][at..(at + 4)]);
            }
        }
    }

    [Fact]
    public void A_table_that_is_none_is_refused()
    {
        Assert.Throws<ArgumentException>(() => new TabulatedSchedule(Parametrization, []));
        Assert.Throws<ArgumentException>(() => new TabulatedSchedule(Parametrization, [1, 2, 3]));
        Assert.Throws<ArgumentException>(() => new TabulatedSchedule(Parametrization, [1, 2, 3, double.NaN]));
    }

    private static double[] Raw(TabulatedSchedule schedule, int step, int steps)
    {
        double[] raw = new double[ScheduleAction.Count];
        schedule.RawAction(step, steps, raw);
        return raw;
    }
}
