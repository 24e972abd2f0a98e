using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private static readonly KernelName<LogProbGatherArguments> LogProbGatherForward = new("logprobgather", "logprobgather_forward");
    private static readonly KernelName<LogProbGatherBackwardArguments> LogProbGatherBackwardKernel = new("logprobgather", "logprobgather_backward");

    /// <inheritdoc cref="IBackend.LogProbGather"/>
    public void LogProbGather(
        Tensor conditional,
        Tensor unconditional,
        Tensor guidance,
        Tensor temperature,
        Tensor tokens,
        Tensor logProb,
        Tensor confidence,
        Tensor entropy,
        Tensor logSumExp
    )
    {
        int rows = Require.GatheredRows(conditional, unconditional, guidance, temperature, tokens);
        Require.Count(logProb, rows);
        Require.OptionalCount(confidence, rows);
        Require.OptionalCount(entropy, rows);
        Require.OptionalCount(logSumExp, rows);
        if (rows > 0)
        {
            Launch(
                LogProbGatherForward,
                Dim3.Of(rows),
                new Dim3(256),
                new LogProbGatherArguments(
                    conditional.Address,
                    unconditional.Address,
                    guidance.Address,
                    temperature.Address,
                    tokens.Address,
                    logProb.Address,
                    confidence.Address,
                    entropy.Address,
                    logSumExp.Address,
                    conditional.RowStride,
                    unconditional.RowStride,
                    conditional.Columns
                ),
                LogProbGatherShared(conditional)
            );
        }
    }

    /// <inheritdoc cref="IBackend.LogProbGatherBackward"/>
    /// <remarks>
    /// The probabilities are formed against the row's own maximum; <paramref name="logSumExp"/> is checked and not read, and may be none.
    /// </remarks>
    public void LogProbGatherBackward(
        Tensor upstream,
        Tensor conditional,
        Tensor unconditional,
        Tensor guidance,
        Tensor temperature,
        Tensor tokens,
        Tensor logSumExp,
        Tensor dconditional,
        Tensor dunconditional
    )
    {
        int rows = Require.GatheredRows(conditional, unconditional, guidance, temperature, tokens);
        Require.Count(upstream, rows);
        Require.OptionalCount(logSumExp, rows);
        Require.Matrix(dconditional, rows, conditional.Columns);
        if (!dunconditional.IsNone)
        {
            Require.That(!unconditional.IsNone, nameof(dunconditional), dunconditional, "none, as there is no unconditional row");
            Require.Matrix(dunconditional, rows, conditional.Columns);
        }

        if (rows > 0)
        {
            Launch(
                LogProbGatherBackwardKernel,
                Dim3.Of(rows),
                new Dim3(256),
                new LogProbGatherBackwardArguments(
                    upstream.Address,
                    conditional.Address,
                    unconditional.Address,
                    guidance.Address,
                    temperature.Address,
                    tokens.Address,
                    dconditional.Address,
                    dunconditional.Address,
                    conditional.RowStride,
                    unconditional.RowStride,
                    dconditional.RowStride,
                    dunconditional.RowStride,
                    conditional.Columns
                ),
                LogProbGatherShared(conditional)
            );
        }
    }

    /// <summary>Shared memory for a row with its chunks' results.</summary>
    private int LogProbGatherShared(Tensor logits)
    {
        int chunks = (logits.Columns + GuidedChunk - 1) / GuidedChunk;
        int bytes = ((chunks * GuidedChunk) + (2 * chunks)) * sizeof(float);
        Require.That(
            bytes <= SharedMemoryPerBlock,
            nameof(logits),
            logits,
            $"rows that fit the {SharedMemoryPerBlock} bytes of shared memory of {Device.Name}"
        );
        return bytes;
    }

    private readonly record struct LogProbGatherArguments(
        nint Conditional,
        nint Unconditional,
        nint Guidance,
        nint Temperature,
        nint Tokens,
        nint LogProb,
        nint Confidence,
        nint Entropy,
        nint LogSumExp,
        long ConditionalStride,
        long UnconditionalStride,
        int Codes
    );

    private readonly record struct LogProbGatherBackwardArguments(
        nint Upstream,
        nint Conditional,
        nint Unconditional,
        nint Guidance,
        nint Temperature,
        nint Tokens,
        nint DConditional,
        nint DUnconditional,
        long ConditionalStride,
        long UnconditionalStride,
        long DConditionalStride,
        long DUnconditionalStride,
        int Codes
    );
}
