using CoGrpo.Model.Schedule;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Tests.Model;

public sealed class TabulatedScheduleTests
{
    private static readonly ScheduleParametrization Parametrization = new(new ScheduleParametrizationSettings { HandMade = new HandMadeSettings { Guidance = 2 } });

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
        Span<ScheduleState> states = [ScheduleState.Start, ScheduleState.Start];
        Span<ScheduleAction> actions = new ScheduleAction[2];
        for (int t = 0; t < 9; t++)
        {
            schedule.Act(new ScheduleStep
            {
                Step = t, Steps = 9, FirstImage = 0, Trajectories = [0, 1], States = states, RawActions = new double[8], Means = new double[8],
            }, default, actions);
            ScheduleAction expected = Parametrization.Settings.HandMade.At(t, 9);
            Assert.Equal(expected.Remask, actions[1].Remask, 12);
            Assert.Equal(expected.SamplingTemperature, actions[1].SamplingTemperature, 12);
            Assert.Equal(expected.Guidance, actions[1].Guidance, 12);
            Assert.Equal(actions[0], actions[1]);
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
