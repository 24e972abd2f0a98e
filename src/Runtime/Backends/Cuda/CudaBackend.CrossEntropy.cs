using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private const int CrossEntropyBlock = 512;

    private static readonly KernelName<CrossEntropyArguments> CrossEntropyKernel = new("crossentropy", "crossentropy_f32");

    /// <inheritdoc cref="IBackend.CrossEntropy"/>
    public void CrossEntropy(Tensor logits, Tensor labels, float weight, Tensor loss, Tensor dlogits)
    {
        Require.Matrix(logits, -1, -1);
        Require.Count(labels, logits.Rows, ElementType.Int32);
        Require.Count(loss, logits.Rows);
        if (!dlogits.IsNone)
        {
            Require.Matrix(dlogits, logits.Rows, logits.Columns);
        }

        if (logits.Rows == 0)
        {
            return;
        }

        bool vectors = HasVectors(logits) && (dlogits.IsNone || HasVectors(dlogits));
        Launch(
            CrossEntropyKernel,
            Dim3.Of(logits.Rows),
            new Dim3(CrossEntropyBlock),
            new CrossEntropyArguments(
                logits.Address,
                labels.Address,
                loss.Address,
                dlogits.Address,
                logits.RowStride,
                dlogits.RowStride,
                logits.Columns,
                weight,
                Flag(vectors)
            )
        );
    }

    private readonly record struct CrossEntropyArguments(
        nint Logits,
        nint Labels,
        nint Loss,
        nint Dlogits,
        long LogitsStride,
        long DlogitsStride,
        int Columns,
        float Weight,
        int Vectors
    );
}
