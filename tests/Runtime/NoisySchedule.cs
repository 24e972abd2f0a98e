using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Randomness;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Tests.Runtime;

/// <summary>A learned-style schedule: raw actions from noise addressed by image number, plus a term from the features when asked for.</summary>
internal sealed class NoisySchedule(ScheduleParametrization parametrization, double scale, IBackend backend, bool features = false) : ISchedule
{
    private readonly float[] _features = new float[64 * 12];
    private readonly ScheduleState[] _states = new ScheduleState[64];
    private int _firstImage;

    public bool NeedsFeatures => features;

    public int RecordingVersion => IRecording.Never;

    public bool Guides(int step, int steps) => true;

    public void Begin(in ScheduleCall call)
    {
        _firstImage = call.FirstImage;
        _states.AsSpan().Fill(ScheduleState.Start);
    }

    public void Act(in ScheduleStep step)
    {
        Assert.Equal(NeedsFeatures, !step.Features.IsNone);
        int images = step.Actions.Rows;
        if (features)
        {
            backend.Download(step.Features, _features.AsSpan(0, images * 12));
        }

        double[] raws = new double[images * 4];
        double[] actions = new double[images * 4];
        for (int b = 0; b < images; b++)
        {
            RandomSequence random = new(3, RandomStream.ScheduleExploration, ((ulong)step.Step << 32) | (uint)(_firstImage + b));
            Span<double> raw = raws.AsSpan(4 * b, 4);
            for (int k = 0; k < 4; k++)
            {
                raw[k] = scale * (random.NextNormal() + (0.05 * _features[(b * 12) + k]));
            }

            ScheduleAction action = parametrization.Apply(ref _states[b], step.Step, step.Steps, raw, out _);
            for (int k = 0; k < 4; k++)
            {
                actions[(4 * b) + k] = action.Component(k);
            }
        }

        backend.Upload<double>(actions, step.Actions);
        backend.Upload<double>(raws, step.RawActions);
        backend.Upload<double>(new double[raws.Length], step.Means);
    }
}
