using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
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
        const int Count = ScheduleAction.Count;
        int images = delta.Rows;
        Require.ScheduleActions(delta, exploration, state, means, raw, actions, clampHits);
        Span<double> values = stackalloc double[Count];
        for (int b = 0; b < images; b++)
        {
            for (int k = 0; k < Count; k++)
            {
                int at = (b * Count) + k;
                double mean = (trained & (1 << k)) != 0 ? delta.F32[at] : 0;
                ((double*)means.Address)[at] = mean;
                values[k] = mean + ((double*)exploration.Address)[at];
                ((double*)raw.Address)[at] = values[k];
            }

            ref ScheduleState image = ref ((ScheduleState*)state.Address)[b];
            *((ScheduleAction*)actions.Address + b) = link.Apply(ref image, values, out ScheduleClamps clamps);
            clampHits.I32[b] += clamps == ScheduleClamps.None ? 0 : 1;
        }
    }
}
