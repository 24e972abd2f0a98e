using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Model.Schedule;

/// <summary>What a <see cref="SchedulePolicy"/> needs beside its weights to act as it did in training.</summary>
/// <param name="TrainedSteps">T it was trained at.</param>
/// <param name="TrainedActions">Which of r, τ_s, τ_r, s it controls; four values.</param>
/// <param name="Parametrization">The action space, with the hand-made schedule that it starts from.</param>
public sealed record SchedulePolicySettings(int TrainedSteps, IReadOnlyList<bool> TrainedActions, ScheduleParametrizationSettings Parametrization);
