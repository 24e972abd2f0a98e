using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private static readonly KernelName<RemaskArguments> RemaskKernel = new("remask", "remask");

    /// <inheritdoc cref="IBackend.Remask"/>
    /// <remarks>A confidence that is not a number ranks with -∞.</remarks>
    public void Remask(in RemaskOperands operands, NoiseAddress noise, int steps, CountRule rule, int maskToken)
    {
        Require.Remask(operands, noise);
        int images = operands.Canvas.Shape[0];
        int positions = operands.Canvas.Shape[1];
        int bytes = positions * sizeof(uint);
        Require.That(
            bytes <= SharedMemoryPerBlock - RemaskStaticShared,
            nameof(operands.Canvas),
            operands.Canvas,
            $"positions that fit the {SharedMemoryPerBlock} bytes of shared memory of {Device.Name}"
        );
        if (images * positions > 0)
        {
            Launch(
                RemaskKernel,
                Dim3.Of(images),
                new Dim3(256),
                new RemaskArguments(
                    operands.Canvas.Address,
                    operands.Candidates.Address,
                    operands.Confidence.Address,
                    operands.LogProb.Address,
                    operands.Actions.Address,
                    operands.StartShare.Address,
                    operands.Trajectories.Address,
                    noise.Key.Address,
                    operands.DecodedStep.Address,
                    operands.DecodedLogProb.Address,
                    positions,
                    noise.Step,
                    steps,
                    maskToken,
                    Flag(rule == CountRule.Single)
                ),
                bytes
            );
        }
    }

    // Histogram and scratch of the kernel, rounded up.
    private const int RemaskStaticShared = 2048;

    private readonly record struct RemaskArguments(
        nint Canvas,
        nint Candidates,
        nint Confidence,
        nint LogProb,
        nint Actions,
        nint StartShare,
        nint Trajectories,
        nint Key,
        nint DecodedStep,
        nint DecodedLogProb,
        int Positions,
        int Step,
        int Steps,
        int MaskToken,
        int SingleCount
    );
}
