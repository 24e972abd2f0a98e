using CoGrpo.Rl.EmojiScenes;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Serving;

/// <summary>What the session's schedule does on average over training prompts, with mean actions: used actions and raw actions per step.</summary>
public sealed class ScheduleProfile
{
    private const int PromptsPerTask = 8;

    private readonly double[] _means;
    private readonly double[] _deviations;
    private readonly double[] _rawMeans;

    private ScheduleProfile(int steps)
    {
        Steps = steps;
        _means = new double[steps * ScheduleAction.Count];
        _deviations = new double[steps * ScheduleAction.Count];
        _rawMeans = new double[steps * ScheduleAction.Count];
    }

    /// <summary>T.</summary>
    public int Steps { get; }

    /// <summary>[T,4] mean used actions in the order r, τ_s, τ_r, s.</summary>
    public ReadOnlySpan<double> Means => _means;

    /// <summary>[T,4] standard deviation of the used actions over pictures; 0 for a schedule that treats all alike.</summary>
    public ReadOnlySpan<double> Deviations => _deviations;

    /// <summary>[T,4] mean raw actions; 0 for a hand-made schedule.</summary>
    public ReadOnlySpan<double> RawMeans => _rawMeans;

    /// <summary>Samples one picture for each of eight training prompts per task in T = <paramref name="steps"/> steps and averages.</summary>
    public static ScheduleProfile Of(ServingSession session, int steps, ulong seed, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(session);
        cancellation.ThrowIfCancellationRequested();
        var set = new EvaluationSet(PromptSet.Train, PromptsPerTask, seed, samples: 1);
        var table = new PromptTable(new ScenePromptSource());
        table.Set(set.Prompts.ToArray());
        session.Lanes.SetPrompts(table.Ids);
        using var trajectories = new Trajectories(session.Lanes.Setup.Model.Backend, set.Count, session.Layout.CodeCount, steps);
        for (int i = 0; i < set.Count; i++)
        {
            trajectories.Prompts[i] = 1 + i;
        }

        session.Lanes.Sample(trajectories, session.Schedule, exploration: null, seed, firstTrajectory: 0, group: 1);
        cancellation.ThrowIfCancellationRequested();
        var profile = new ScheduleProfile(steps);
        for (int t = 0; t < steps; t++)
        {
            for (int k = 0; k < ScheduleAction.Count; k++)
            {
                profile.Average(trajectories, t, k);
            }
        }

        return profile;
    }

    private void Average(Trajectories trajectories, int step, int dimension)
    {
        int at = (step * ScheduleAction.Count) + dimension;
        int images = trajectories.Images;
        for (int i = 0; i < images; i++)
        {
            int record = (i * Steps) + step;
            _means[at] += trajectories.Actions[record].Component(dimension) / images;
            _rawMeans[at] += trajectories.Means[(record * ScheduleAction.Count) + dimension] / images;
        }

        double squares = 0;
        for (int i = 0; i < images; i++)
        {
            double difference = trajectories.Actions[(i * Steps) + step].Component(dimension) - _means[at];
            squares += difference * difference;
        }

        _deviations[at] = Math.Sqrt(squares / images);
    }
}
