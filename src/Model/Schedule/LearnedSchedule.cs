using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Randomness;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Model.Schedule;

/// <summary>
/// The schedule policy as a schedule: raw action a = δ(features, t̃) + σ ε (or the mean alone), used action by the links of a
/// <see cref="ScheduleParametrization"/>. Actions that are not trained keep a = 0, the hand-made value. Moved to another number of steps it
/// runs with remapped time (specs/schedule-policy.md 9, mode A).
/// </summary>
public sealed class LearnedSchedule : ISchedule, IDisposable
{
    private readonly SchedulePolicy _policy;
    private readonly ScheduleParametrization _parametrization;
    private readonly int _trainedSteps;
    private readonly (int Height, int Width) _grid;
    private readonly bool[] _trained;
    private readonly Arena _work;
    private readonly Tape _tape;
    private float[] _delta = [];
    private float[] _time = [];

    /// <param name="policy">The network; stays the caller's.</param>
    /// <param name="parametrization">Links, residuals, σ and clamps.</param>
    /// <param name="trainedSteps">T the policy is or was trained at.</param>
    /// <param name="grid">Rows and columns of the feature grid.</param>
    /// <param name="trained">Which of r, τ_s, τ_r, s the policy controls.</param>
    public LearnedSchedule(SchedulePolicy policy, ScheduleParametrization parametrization, int trainedSteps, (int Height, int Width) grid, IReadOnlyList<bool> trained)
    {
        _policy = policy;
        _parametrization = parametrization;
        _trainedSteps = trainedSteps;
        _grid = grid;
        _trained = [.. trained];
        _work = policy.Backend.CreateArena("schedule", 1 << 20);
        _tape = new Tape(policy.Backend, _work, _work);
    }

    /// <inheritdoc/>
    public bool NeedsFeatures => true;

    /// <summary>Seed of the exploration noise, or null for mean actions.</summary>
    public ulong? ExplorationSeed { get; set; }

    /// <summary>First exploration address of the call: image i of a call explores with number this + i.</summary>
    public long FirstExploration { get; set; }

    /// <summary>Actions that hit an environment clamp since the last reset.</summary>
    public long ClampHits { get; set; }

    /// <summary>t̃ = clamp(T_train (t+1)/T - 1, 0, T_train - 1): the trained step with the same u = (t+1)/T.</summary>
    public static double RemappedStep(int step, int steps, int trainedSteps) =>
        Math.Clamp(((double)trainedSteps * (step + 1) / steps) - 1, 0, trainedSteps - 1);

    /// <inheritdoc/>
    public void Act(in ScheduleStep step, Tensor features, Span<ScheduleAction> actions)
    {
        int images = actions.Length;
        if (_time.Length < images)
        {
            _time = new float[images];
            _delta = new float[images * ScheduleAction.Count];
        }

        Span<float> time = _time.AsSpan(0, images);
        time.Fill((float)RemappedStep(step.Step, step.Steps, _trainedSteps));
        Span<float> delta = _delta.AsSpan(0, images * ScheduleAction.Count);
        ArenaMark mark = _work.Mark();
        _tape.Begin(recording: false);
        Tensor timeTensor = _work.Allocate(new Shape(images));
        _policy.Backend.Upload<float>(time, timeTensor);
        _policy.Backend.Download(_tape.Value(_policy.Forward(_tape, features, _grid.Height, _grid.Width, timeTensor)), delta);
        _work.Release(mark);

        for (int i = 0; i < images; i++)
        {
            Span<double> raw = step.RawActions.Slice(i * ScheduleAction.Count, ScheduleAction.Count);
            Span<double> mean = step.Means.Slice(i * ScheduleAction.Count, ScheduleAction.Count);
            var noise = new RandomSequence(ExplorationSeed ?? 0, RandomStream.ScheduleExploration,
                ((ulong)(FirstExploration + step.FirstImage + i) << 16) | (uint)step.Step);
            for (int k = 0; k < ScheduleAction.Count; k++)
            {
                mean[k] = _trained[k] ? delta[(i * ScheduleAction.Count) + k] : 0;
                raw[k] = mean[k] + (ExplorationSeed is not null && _trained[k] ? _parametrization.Sigma[k] * noise.NextNormal() : 0);
            }

            actions[i] = _parametrization.Apply(ref step.States[i], step.Step, step.Steps, raw, out ScheduleClamps clamps);
            ClampHits += clamps == ScheduleClamps.None ? 0 : 1;
        }
    }

    /// <summary>Frees the work memory; the policy stays.</summary>
    public void Dispose() => _work.Dispose();
}
