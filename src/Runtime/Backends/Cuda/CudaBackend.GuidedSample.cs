using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    // As in kernels/guidedrow.cuh.
    private const int GuidedChunk = 128;
    private const int GuidedMostCodes = 512 * GuidedChunk;

    private static readonly KernelName<GuidedSampleArguments> GuidedSampleKernel = new("guidedsample", "guidedsample");

    /// <inheritdoc cref="IBackend.GuidedSample"/>
    public void GuidedSample(Tensor conditional, Tensor unconditional, in GuidedRows rows, NoiseAddress noise)
    {
        Require.GuidedRows(rows, noise);
        int count = (int)rows.Rows.Shape.Count;
        Require.Matrix(conditional, rows.ConditionalAt.IsNone ? count : -1, -1);
        Require.That(conditional.Columns <= GuidedMostCodes, nameof(conditional), conditional, "at most 65536 codes");
        if (!unconditional.IsNone)
        {
            Require.Matrix(unconditional, rows.UnconditionalAt.IsNone ? conditional.Rows : -1, conditional.Columns);
        }

        if (count == 0)
        {
            return;
        }

        Launch(
            GuidedSampleKernel,
            Dim3.Of(count),
            new Dim3(256),
            new GuidedSampleArguments(
                GuidedPlaces.Of(rows, noise),
                conditional.Address,
                unconditional.Address,
                conditional.RowStride,
                unconditional.RowStride,
                conditional.Columns
            )
        );
    }

    /// <summary>Where the rows of a draw lie and where its results go, as kernels/guidedrow.cuh has it.</summary>
    private readonly record struct GuidedPlaces(
        nint Rows,
        nint Live,
        nint ConditionalAt,
        nint UnconditionalAt,
        nint Actions,
        nint Trajectories,
        nint Key,
        nint Tokens,
        nint LogProb,
        nint Confidence,
        int Count,
        int Positions,
        int Step
    )
    {
        public static GuidedPlaces Of(in GuidedRows rows, NoiseAddress noise) =>
            new(
                rows.Rows.Address,
                rows.Rows.LiveRows,
                rows.ConditionalAt.Address,
                rows.UnconditionalAt.Address,
                rows.Actions.Address,
                rows.Trajectories.Address,
                noise.Key.Address,
                rows.Tokens.Address,
                rows.LogProb.Address,
                rows.Confidence.Address,
                (int)rows.Rows.Shape.Count,
                rows.Codes,
                noise.Step
            );
    }

    private readonly record struct GuidedSampleArguments(
        GuidedPlaces Places,
        nint Conditional,
        nint Unconditional,
        long ConditionalStride,
        long UnconditionalStride,
        int Codes
    );
}
