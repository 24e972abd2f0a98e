using System.Diagnostics;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Backends.Cuda;
using CoGrpo.Runtime.Backends.Plan;

namespace CoGrpo.Runtime.Diagnostics;

/// <summary>
/// One operation on a GPU beside the CPU backend: whether it computes the same, and how long it takes. It tells a kernel that is wrong on this
/// device from one that rounds: what of the difference is due to rounding is the tests' matter.
/// </summary>
/// <param name="Case">What was run.</param>
/// <param name="Output">Output with the largest share of its allowance.</param>
/// <param name="Error">Its largest difference, as a share of the largest magnitude of the CPU's; for integers the share of elements that
/// differ.</param>
/// <param name="Allowed">What of that is allowed.</param>
/// <param name="Cost">Floor of the operation: bytes and operations it cannot do without.</param>
/// <param name="Seconds">Median time of one call; null on a device whose times mean nothing.</param>
internal sealed record OperationComparison(OperationCase Case, string Output, double Error, double Allowed, OperationCost Cost, double? Seconds)
{
    private const double AllowedFloat = 1.0 / 4096;
    private const double AllowedBFloat16 = 1.0 / 32;

    // Two backends sum the logits of the fused head in different orders, so that a draw may fall on either side of a tie.
    private const double AllowedDraws = 1.0 / 32;

    /// <summary>Whether the device's result is the CPU's.</summary>
    public bool Agrees => Error <= Allowed;

    /// <summary>Runs a case on both.</summary>
    /// <param name="case">The operation.</param>
    /// <param name="device">The GPU.</param>
    /// <param name="reference">The CPU.</param>
    /// <param name="repetitions">Calls that are timed, after one that is not.</param>
    /// <exception cref="Cuda.CudaException">The device failed; the message names the kernel.</exception>
    public static OperationComparison Of(OperationCase @case, CudaBackend device, CpuBackend reference, int repetitions = 10)
    {
        using Arena expectedArena = reference.CreateArena("doctor", 1 << 24), actualArena = device.CreateArena("doctor", 1 << 24);
        PreparedCase expected = @case.Prepare(reference, expectedArena, device.Storage), actual = @case.Prepare(device, actualArena, device.Storage);
        expected.Run();
        actual.Run();
        (string output, double error, double allowed) = Worst(@case, expected, reference, actual, device);

        double? seconds = null;
        if (!device.Device.Driver.IsStandIn)
        {
            double[] times = [.. Enumerable.Range(0, repetitions).Select(_ => device.Time(actual.Run))];
            Array.Sort(times);
            seconds = times[repetitions / 2];
        }

        return new OperationComparison(@case, output, error, allowed, CostOf(@case, device.Storage), seconds);
    }

    /// <summary>The floor of a case.</summary>
    public static OperationCost CostOf(OperationCase @case, ElementType storage)
    {
        using PlanBackend plan = new(storage);
        using Arena arena = plan.CreateArena("plan", 1 << 24);
        PreparedCase prepared = @case.Prepare(plan, arena, storage);
        plan.TakeWork();
        prepared.Run();
        return plan.Costs.Values.Aggregate(default(OperationCost), (sum, cost) => sum + cost);
    }

    private static (string Output, double Error, double Allowed) Worst(
        OperationCase @case,
        PreparedCase expected,
        IBackend reference,
        PreparedCase actual,
        IBackend device
    )
    {
        (string Output, double Error, double Allowed) worst = ("", 0, 1);
        bool[]? sameDraw = null;
        for (int i = 0; i < expected.Outputs.Count; i++)
        {
            (string name, Tensor tensor) = expected.Outputs[i];
            double[] wanted = Values(reference, tensor), got = Values(device, actual.Outputs[i].Tensor);
            bool integers = tensor.Type is ElementType.Int32 or ElementType.Int64;
            double allowed = integers ? 0 : device.Storage == ElementType.BFloat16 ? AllowedBFloat16 : AllowedFloat;
            if (@case.Operation == nameof(IBackend.HeadSample))
            {
                // What is said of a draw is comparable where the draws are the same.
                allowed = integers ? AllowedDraws : allowed;
                sameDraw ??= [.. wanted.Zip(got, (a, b) => a == b)];
            }

            double error = integers ? Differing(wanted, got) : Distance(wanted, got, sameDraw);
            Debug.Assert(wanted.Length == got.Length, "both sides run the same case");
            double share = allowed > 0 ? error / allowed : error > 0 ? double.PositiveInfinity : 0;
            double worstShare = worst.Allowed > 0 ? worst.Error / worst.Allowed : worst.Error > 0 ? double.PositiveInfinity : 0;
            if (worst.Output.Length == 0 || share > worstShare || double.IsNaN(share))
            {
                worst = (name, double.IsNaN(error) ? double.PositiveInfinity : error, allowed);
            }
        }

        return worst;
    }

    private static double Differing(double[] wanted, double[] got) =>
        (double)wanted.Zip(got).Count(pair => pair.First != pair.Second) / Math.Max(1, wanted.Length);

    private static double Distance(double[] wanted, double[] got, bool[]? compared)
    {
        double largest = 0, distance = 0;
        for (int i = 0; i < wanted.Length; i++)
        {
            if (compared is null || compared[i])
            {
                largest = Math.Max(largest, Math.Abs(wanted[i]));
                distance = Math.Max(distance, wanted[i].Equals(got[i]) ? 0 : Math.Abs(wanted[i] - got[i]));
            }
        }

        return distance == 0 ? 0 : distance / Math.Max(largest, 1e-30);
    }

    private static double[] Values(IBackend backend, Tensor tensor)
    {
        int count = (int)tensor.Shape.Count;
        return tensor.Type switch
        {
            ElementType.Float32 => Array.ConvertAll(Download<float>(backend, tensor, count), v => (double)v),
            ElementType.BFloat16 => Array.ConvertAll(Download<ushort>(backend, tensor, count), v => (double)BFloat16.Value(v)),
            ElementType.Float64 => Download<double>(backend, tensor, count),
            ElementType.Int32 => Array.ConvertAll(Download<int>(backend, tensor, count), v => (double)v),
            ElementType.Int64 => Array.ConvertAll(Download<long>(backend, tensor, count), v => (double)v),
            _ => throw new NotSupportedException($"comparison: wanted a numeric tensor, got {tensor.Type}; a case must not write others"),
        };
    }

    private static T[] Download<T>(IBackend backend, Tensor tensor, int count)
        where T : unmanaged
    {
        T[] values = new T[count];
        backend.Download(tensor, values);
        return values;
    }
}
