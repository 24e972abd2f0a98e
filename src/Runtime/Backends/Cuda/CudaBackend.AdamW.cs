using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private static readonly StorageKernelName<AdamWArguments> AdamWKernel = new("adamw", "adamw");

    /// <inheritdoc cref="IBackend.AdamW"/>
    public void AdamW(in AdamWOperands operands, in AdamWStep step)
    {
        Require.AdamW(operands);
        RequireAligned(operands.Parameter, nameof(operands.Parameter));
        RequireAligned(operands.Gradient, nameof(operands.Gradient));
        RequireAligned(operands.FirstMoment, nameof(operands.FirstMoment));
        RequireAligned(operands.SecondMoment, nameof(operands.SecondMoment));
        RequireAligned(operands.Compute, nameof(operands.Compute));
        RequireAligned(operands.Average, nameof(operands.Average));
        long count = operands.Parameter.Shape.Count;
        AdamWFactors factors = step.Factors();
        ElementType copy = operands.Compute.IsNone ? ElementType.Float32 : operands.Compute.Type;
        if (count > 0)
        {
            Launch(
                AdamWKernel[copy],
                Dim3.Of(Blocks(count, 4 * 256)),
                new Dim3(256),
                new AdamWArguments(
                    operands.Parameter.Address,
                    operands.Gradient.Address,
                    operands.FirstMoment.Address,
                    operands.SecondMoment.Address,
                    operands.Decays.Address,
                    operands.SquaredNorm.Address,
                    operands.Compute.Address,
                    operands.Average.Address,
                    count,
                    step.ClipNorm,
                    factors.Keep,
                    factors.First,
                    factors.Beta2,
                    factors.Second,
                    factors.RootCorrection,
                    factors.Epsilon,
                    factors.StepSize,
                    operands.AverageDecay
                )
            );
        }
    }

    private static void RequireAligned(Tensor x, string name) =>
        Require.That(x.Address % 16 == 0, name, x, "an address that is a multiple of 16 bytes");

    private readonly record struct AdamWArguments(
        nint Parameter,
        nint Gradient,
        nint FirstMoment,
        nint SecondMoment,
        nint Decays,
        nint SquaredNorm,
        nint Compute,
        nint Average,
        long Count,
        double ClipNorm,
        float Keep,
        float First,
        float Beta2,
        float Second,
        float RootCorrection,
        float Epsilon,
        float StepSize,
        float AverageDecay
    );
}
