using CoGrpo.Runtime.Diagnostics;

namespace CoGrpo.Runtime.Backends.Plan;

/// <summary>The operations of a stretch of a run.</summary>
/// <param name="Calls">Equal calls stand together.</param>
public sealed record PlannedWork(IReadOnlyList<PlannedCalls> Calls)
{
    /// <summary>Cost of all operations, or of those whose name <paramref name="which"/> picks.</summary>
    public OperationCost Cost(Func<string, bool>? which = null) =>
        Calls.Where(call => which?.Invoke(call.Operation) ?? true).Aggregate(default(OperationCost), (sum, call) => sum + (call.Cost * call.Times));

    /// <summary>The shortest time on a device, in seconds: one operation after the other, each bound by <see cref="DeviceModel.Seconds"/>.</summary>
    public double Seconds(DeviceModel device) => Calls.Sum(call => call.Times * device.Seconds(call.Cost));

    /// <summary>This work <paramref name="times"/> times.</summary>
    public PlannedWork Times(double times) => new([.. Calls.Select(call => call with { Times = call.Times * times })]);

    /// <summary>This work and <paramref name="times"/> times another; with a negative number, this work without it.</summary>
    public PlannedWork And(PlannedWork other, double times = 1) => new([.. Calls.Concat(other.Times(times).Calls)
        .GroupBy(call => (call.Operation, call.Cost))
        .Select(calls => new PlannedCalls(calls.Key.Operation, calls.Key.Cost, calls.Sum(call => call.Times)))
        .Where(calls => calls.Times != 0)]);
}
