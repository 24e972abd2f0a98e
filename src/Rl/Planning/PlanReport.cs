using System.Globalization;
using CoGrpo.Rl.Serving;
using CoGrpo.Runtime.Backends.Plan;
using CoGrpo.Runtime.Diagnostics;

namespace CoGrpo.Rl.Planning;

/// <summary>A plan as tables. GB are 10^9 bytes.</summary>
public static class PlanReport
{
    private static readonly (string Kind, Func<string, bool> Holds)[] Kinds =
    [
        ("matrix products", IsProduct),
        ("attention", IsAttention),
        ("other", operation => !IsProduct(operation) && !IsAttention(operation)),
    ];

    /// <summary>Sizes of the networks.</summary>
    public static ResultTable Networks(RunPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        IEnumerable<PlannedNetwork> all = plan.Networks.Append(
            new PlannedNetwork("all", plan.Networks.Sum(n => n.Parameters), plan.Networks.Sum(n => n.Trained))
        );
        return new ResultTable(
            ["network", "parameters", "trained"],
            [.. all.Select(n => (string[])[n.Name, Number(n.Parameters, "N0"), Number(n.Trained, "N0")])],
            1
        );
    }

    /// <summary>Peak memory by category.</summary>
    public static ResultTable Memory(RunPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        IEnumerable<(string Name, long Bytes)> all = plan
            .Memory.Bytes.Select(entry => (Words(entry.Key.ToString()), entry.Value))
            .Append(("peak", plan.Memory.PeakBytes));
        return new ResultTable(["memory", "GB"], [.. all.Select(entry => (string[])[entry.Name, Gigabytes(entry.Bytes)])], 1);
    }

    /// <summary>Operations and bytes of one iteration of each phase, by part and by kind and direction.</summary>
    public static ResultTable Work(RunPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        List<IReadOnlyList<string>> rows = [];
        foreach ((string part, Func<PlannedPhase, PlannedWork> work) in Parts())
        {
            rows.Add(Row(plan, part, phase => work(phase).Cost()));
        }

        foreach (bool backward in (bool[])[false, true])
        {
            foreach ((string kind, Func<string, bool> holds) in Kinds)
            {
                rows.Add(
                    Row(
                        plan,
                        $"{(backward ? "backward" : "forward")}, {kind}",
                        phase => phase.All.Cost(operation => IsBackward(operation) == backward && holds(operation))
                    )
                );
            }
        }

        rows.Add(Row(plan, "iteration", phase => phase.All.Cost()));
        IEnumerable<string> columns = plan.Phases.SelectMany(phase => (string[])[$"{Name(phase)} TFLOP", $"{Name(phase)} TB"]);
        return new ResultTable(["work of one iteration", .. columns], rows, 1);
    }

    /// <summary>Modelled seconds of one iteration of each phase and hours of the run.</summary>
    public static ResultTable Times(RunPlan plan, IEnumerable<DeviceModel> devices)
    {
        ArgumentNullException.ThrowIfNull(plan);
        IEnumerable<string> columns = plan.Phases.SelectMany(phase => (string[])[.. Parts().Select(part => $"{Name(phase)} {part.Name}"), $"{Name(phase)} s"]);
        return new ResultTable(["at least, seconds", .. columns, "run h"], [.. devices.Select(device => (string[])
            [
                device.Name,
                .. plan.Phases.SelectMany(phase => (string[])[.. Parts().Select(part => Seconds(part.Of(phase).Seconds(device))), Seconds(phase.All.Seconds(device))]),
                Number(plan.Seconds(device) / 3600, "0"),
            ])], 1);
    }

    /// <summary>What each switch alone saves, and how long the run then takes on a device.</summary>
    public static ResultTable Savings(RunPlan plan, IReadOnlyList<PlanSaving> savings, DeviceModel? device)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(savings);
        return new ResultTable(["switch", "cost", "GB saved", "GB then", .. Optional(device, "time x")], [.. savings.OrderBy(saving => saving.Plan.Memory.PeakBytes).Select(saving => (string[])
            [
                $"{saving.Switch.Path}={saving.Value}", saving.Switch.Effect, Gigabytes(plan.Memory.PeakBytes - saving.Plan.Memory.PeakBytes), Gigabytes(saving.Plan.Memory.PeakBytes),
                .. device is null ? [] : Optional(device, Number(saving.Plan.Seconds(device) / plan.Seconds(device), "0.00")),
            ])], 2);
    }

    /// <summary>As in <c>47.93</c>.</summary>
    public static string Gigabytes(long bytes) => Number(bytes / 1e9, "0.00");

    private static string[] Optional(DeviceModel? device, string text) => device is null ? [] : [text];

    private static (string Name, Func<PlannedPhase, PlannedWork> Of)[] Parts() =>
        [("rollout", phase => phase.Rollout), ("pictures", phase => phase.Pictures), ("update", phase => phase.Update)];

    private static string[] Row(RunPlan plan, string name, Func<PlannedPhase, OperationCost> cost) =>
        [
            name,
            .. plan.Phases.SelectMany(phase =>
                cost(phase) is var sum ? (string[])[Number(sum.Operations / 1e12, "N0"), Number(sum.Bytes / 1e12, "N1")] : []
            ),
        ];

    private static bool IsProduct(string operation) =>
        operation.StartsWith("Linear", StringComparison.Ordinal) || operation is "Conv3x3" or "HeadSample";

    private static bool IsAttention(string operation) => operation.StartsWith("Attention", StringComparison.Ordinal);

    private static bool IsBackward(string operation) => operation.Contains("Backward", StringComparison.Ordinal);

    private static string Name(PlannedPhase phase) => phase.Phase.ToString().ToLowerInvariant();

    private static string Seconds(double seconds) => Number(seconds, seconds < 10 ? "0.00" : "0.0");

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    /// <summary>TextModel as <c>text model</c>.</summary>
    private static string Words(string name) =>
        string.Concat(name.Select((c, i) => i > 0 && char.IsUpper(c) ? $" {char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"));
}
