using CoGrpo.Runtime;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Model.Schedule;

/// <summary>
/// A learned schedule reduced to a table (specs/schedule-policy.md 9, mode B): the policy's mean raw action at each trained step, averaged over
/// a prompt set. At another number of steps the table is interpolated linearly in u = (t+1)/T and added to that number's own residual.
/// The same action for every image; needs no features and holds no state, so that lanes can share it.
/// </summary>
public sealed class TabulatedSchedule : FixedSchedule
{
    private readonly ScheduleParametrization _parametrization;
    private readonly double[] _table;
    private readonly int _trainedSteps;

    /// <param name="parametrization">The action space of the policy.</param>
    /// <param name="table">[T_train,4] mean raw actions in the order r, τ_s, τ_r, s; copied.</param>
    /// <exception cref="ArgumentException">The table is empty or no multiple of four, or a value is not finite.</exception>
    public TabulatedSchedule(ScheduleParametrization parametrization, ReadOnlySpan<double> table)
    {
        ArgumentNullException.ThrowIfNull(parametrization);
        if (table.IsEmpty || table.Length % ScheduleAction.Count != 0)
        {
            throw new ArgumentException(
                $"schedule table: wanted {ScheduleAction.Count} numbers for each trained step, got {table.Length}",
                nameof(table)
            );
        }

        foreach (double value in table)
        {
            if (!double.IsFinite(value))
            {
                throw new ArgumentException(
                    $"schedule table: wanted finite numbers, got {value}; the policy's weights are not finite",
                    nameof(table)
                );
            }
        }

        _parametrization = parametrization;
        _table = table.ToArray();
        _trainedSteps = table.Length / ScheduleAction.Count;
    }

    /// <summary>
    /// Writes the raw action at step t of T, four numbers: the table's row where the trained steps have one at the same u, else between two rows.
    /// </summary>
    public void RawAction(int step, int steps, Span<double> raw)
    {
        double place = LearnedSchedule.RemappedStep(step, steps, _trainedSteps);
        int below = (int)place;
        int above = Math.Min(below + 1, _trainedSteps - 1);
        double share = place - below;
        for (int k = 0; k < ScheduleAction.Count; k++)
        {
            double low = _table[(below * ScheduleAction.Count) + k];

            // This form, unlike a weighted sum of both, gives a constant table back to the bit.
            raw[k] = low + (share * (_table[(above * ScheduleAction.Count) + k] - low));
        }
    }

    /// <inheritdoc/>
    public override ScheduleAction At(int step, int steps, ref ScheduleState state, Span<double> raw)
    {
        RawAction(step, steps, raw);
        return _parametrization.Apply(ref state, step, steps, raw, out _);
    }
}
