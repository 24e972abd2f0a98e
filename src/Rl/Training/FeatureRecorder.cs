using CoGrpo.Model.Schedule;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Training;

/// <summary>Copies what the schedule policy saw and did at every step into <see cref="Trajectories"/>; features are pooled to the policy's grid first.</summary>
internal sealed class FeatureRecorder : ISampleObserver
{
    private readonly IBackend _backend;
    private readonly SchedulePolicyConfig _policy;
    private readonly (int Height, int Width) _grid;

    public FeatureRecorder(IBackend backend, SchedulePolicyConfig policy, (int Height, int Width) grid)
    {
        _backend = backend;
        _policy = policy;
        _grid = grid;
    }

    /// <summary>Where to record.</summary>
    public Trajectories? Target { get; set; }

    /// <summary>Index in <see cref="Target"/> of image 0 of the call.</summary>
    public int FirstImage { get; set; }

    public void OnStep(in SampleStep step)
    {
        Trajectories target = Target!;
        int images = step.Actions.Length;
        int first = FirstImage + step.FirstImage;
        for (int b = 0; b < images; b++)
        {
            int at = (((first + b) * target.Steps) + step.Step) * ScheduleAction.Count;
            step.RawActions.Slice(b * ScheduleAction.Count, ScheduleAction.Count).CopyTo(target.RawActions.AsSpan(at));
            step.Means.Slice(b * ScheduleAction.Count, ScheduleAction.Count).CopyTo(target.Means.AsSpan(at));
        }

        if (target.Features.IsNone || step.Features.IsNone)
        {
            return;
        }

        Tensor rows = target.FeaturesAt(first, images, step.Step);
        int side = _policy.PooledGrid;
        if (_grid == (side, side))
        {
            _backend.Copy(step.Features.Reshape(rows.Shape), rows);
            return;
        }

        for (int b = 0; b < images; b++)
        {
            int n = _grid.Height * _grid.Width;
            Tensor source = step.Features.RowRange(b * n, n).Reshape(new Shape(1, _grid.Height, _grid.Width, _policy.FeatureDim));
            _backend.AreaMean(source, rows.RowRange(b, 1).Reshape(new Shape(1, side, side, _policy.FeatureDim)));
        }
    }
}
