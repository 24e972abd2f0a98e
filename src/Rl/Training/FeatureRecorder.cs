using CoGrpo.Model.Schedule;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Training;

/// <summary>
/// Copies what the schedule policy saw at every step into <see cref="Trajectories"/>, pooled to the policy's grid. Steps are kept in memory of
/// the recorder's own first, which stays where it is, and copied on when a micro-batch is done.
/// </summary>
internal sealed class FeatureRecorder : ISampleObserver, IDisposable
{
    private readonly IBackend _backend;
    private readonly SchedulePolicyConfig _policy;
    private readonly (int Height, int Width) _grid;
    private readonly Arena _arena;
    private Tensor _steps;

    public FeatureRecorder(IBackend backend, SchedulePolicyConfig policy, (int Height, int Width) grid)
    {
        _backend = backend;
        _policy = policy;
        _grid = grid;
        _arena = backend.CreateArena("recorded features", 1 << 16);
    }

    /// <summary>Where to record; without features nothing is recorded.</summary>
    public Trajectories? Target { get; set; }

    /// <summary>Index in <see cref="Target"/> of image 0 of the call.</summary>
    public int FirstImage { get; set; }

    /// <summary>
    /// Called with first image, as <see cref="FirstImage"/> counts, and number of images when those of a micro-batch are in the record of the call.
    /// </summary>
    public Action<int, int>? Stored { get; set; }

    public int RecordingVersion { get; private set; }

    private bool Records => !Target!.Features.IsNone;

    private int Width => _policy.PooledGrid * _policy.PooledGrid * _policy.FeatureDim;

    public void OnStep(in SampleStep step)
    {
        if (step.Features.IsNone)
        {
            return;
        }

        int images = step.Actions.Rows;
        int rows = step.Steps * images;
        if (_steps.IsNone || _steps.Rows < rows)
        {
            _steps = _arena.Allocate(new Shape(rows, Width), step.Features.Type);
            RecordingVersion++;
        }

        Tensor kept = Step(step.Step, images);
        int side = _policy.PooledGrid;
        if (_grid == (side, side))
        {
            _backend.Copy(step.Features.Reshape(kept.Shape), kept);
        }
        else
        {
            _backend.AreaMean(
                step.Features.Reshape(new Shape(images, _grid.Height, _grid.Width, _policy.FeatureDim)),
                kept.Reshape(new Shape(images, side, side, _policy.FeatureDim))
            );
        }
    }

    public void OnImages(int first, int count, int steps)
    {
        for (int t = 0; Records && t < steps; t++)
        {
            _backend.Copy(Step(t, count), Target!.FeaturesAt(FirstImage + first, count, t));
        }
    }

    public void OnStored(int first, int count) => Stored?.Invoke(FirstImage + first, count);

    public void Dispose() => _arena.Dispose();

    private Tensor Step(int step, int images) =>
        new(_steps.Address + ((nint)step * images * Width * _steps.Type.Size()), new Shape(images, Width), _steps.Type);
}
