using CoGrpo.Model.Meissonic;
using CoGrpo.Model.Schedule;
using CoGrpo.Model.TextToImage;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Training;

/// <summary>What every lane of a run replicates.</summary>
/// <param name="Model">The model; its weights are shared.</param>
/// <param name="Policy">The schedule policy; its weights are shared.</param>
/// <param name="Parametrization">Links and residuals of the schedule.</param>
/// <param name="TrainedSteps">T the policy is trained at.</param>
/// <param name="TrainedActions">Which of r, τ_s, τ_r, s the policy controls.</param>
/// <param name="Height">Rows of the code grid.</param>
/// <param name="Width">Columns of the code grid.</param>
/// <param name="PixelsPerCode">Picture pixels per code in each direction.</param>
/// <param name="SampleMicroBatch">Images that run through all sampling steps together.</param>
/// <param name="Time">What the model is told about time.</param>
public sealed record LaneSetup(TextToImageModel Model, SchedulePolicy Policy, ScheduleParametrization Parametrization, int TrainedSteps,
    IReadOnlyList<bool> TrainedActions, int Height, int Width, int PixelsPerCode, int SampleMicroBatch, TimeInput Time);
