using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;
using CoGrpo.Runtime.Optimization;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private static readonly KernelName<ClippedObjectiveArguments> ClippedObjectiveKernel = new("clippedobjective", "clippedobjective");

    /// <inheritdoc cref="IBackend.ClippedObjective"/>
    public void ClippedObjective(in ClippedObjectiveOperands operands, in ClippedSurrogate surrogate, double normalizer, double klWeight)
    {
        int segments = Require.ClippedObjective(operands, klWeight);
        if (segments > 0)
        {
            Launch(
                ClippedObjectiveKernel,
                Dim3.Of(segments),
                new Dim3(128),
                new ClippedObjectiveArguments(
                    operands.LogProb.Address,
                    operands.OldLogProb.Address,
                    operands.ReferenceLogProb.Address,
                    operands.Starts.Address,
                    operands.Advantages.Address,
                    operands.Weights.Address,
                    operands.Upstream.Address,
                    surrogate.Low,
                    surrogate.High,
                    surrogate.Cap,
                    surrogate.LogRatioClamp,
                    normalizer,
                    klWeight
                )
            );
        }
    }

    private readonly record struct ClippedObjectiveArguments(
        nint LogProb,
        nint OldLogProb,
        nint ReferenceLogProb,
        nint Starts,
        nint Advantages,
        nint Weights,
        nint Upstream,
        double Low,
        double High,
        double Cap,
        double LogRatioClamp,
        double Normalizer,
        double KlWeight
    );
}
