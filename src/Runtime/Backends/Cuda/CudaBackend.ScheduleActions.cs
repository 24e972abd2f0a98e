using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private static readonly KernelName<ScheduleActionsArguments> ScheduleActionsKernel = new("scheduleactions", "scheduleactions");

    /// <inheritdoc cref="IBackend.ScheduleActions"/>
    public void ScheduleActions(
        Tensor delta,
        Tensor exploration,
        int trained,
        in ScheduleLink link,
        Tensor state,
        Tensor means,
        Tensor raw,
        Tensor actions,
        Tensor clampHits
    )
    {
        Require.ScheduleActions(delta, exploration, state, means, raw, actions, clampHits);
        if (delta.Rows > 0)
        {
            Launch(
                ScheduleActionsKernel,
                Dim3.Of(Blocks(delta.Rows, 128)),
                new Dim3(128),
                new ScheduleActionsArguments(
                    delta.Address,
                    exploration.Address,
                    state.Address,
                    means.Address,
                    raw.Address,
                    actions.Address,
                    clampHits.Address,
                    link.ResidualRemask,
                    link.ResidualSampling,
                    link.ResidualRemaskTemperature,
                    link.ResidualGuidance,
                    link.Smoothing,
                    link.MinSampling,
                    link.MaxSampling,
                    link.MaxRemaskTemperature,
                    link.MinGuidance,
                    link.MaxGuidance,
                    delta.Rows,
                    trained,
                    Flag(link.Relative),
                    Flag(link.First),
                    Flag(link.Last)
                )
            );
        }
    }

    private readonly record struct ScheduleActionsArguments(
        nint Delta,
        nint Exploration,
        nint State,
        nint Means,
        nint Raw,
        nint Actions,
        nint ClampHits,
        double ResidualRemask,
        double ResidualSampling,
        double ResidualRemaskTemperature,
        double ResidualGuidance,
        double Smoothing,
        double MinSampling,
        double MaxSampling,
        double MaxRemaskTemperature,
        double MinGuidance,
        double MaxGuidance,
        int Images,
        int Trained,
        int Relative,
        int First,
        int Last
    );
}
