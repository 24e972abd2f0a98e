using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private const int WidestHead = 128;

    private static readonly StorageKernelName<AttentionArguments> AttentionDelta = new("attentionkeys", "attentionkeys_delta");
    private static readonly KernelName<AttentionArguments>[] AttentionForward = HeadKernels("attention");
    private static readonly KernelName<AttentionArguments>[] AttentionKeys = HeadKernels("attentionkeys");
    private static readonly KernelName<AttentionArguments>[] AttentionQueries = HeadKernels("attentionqueries");

    /// <inheritdoc cref="IBackend.Attention"/>
    public void Attention(Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, int heads, bool causal)
    {
        AttentionArguments arguments = AttentionShapes(q, k, v, o, logSumExp, heads, causal) with
        {
            Out = o.Address,
            Vectors = Flag(HasHeadVectors(heads, q, k, v, o)),
        };
        if (q.Rows == 0)
        {
            return;
        }

        // As in kernels/attention.cu.
        bool simt = q.Type == ElementType.Float32;
        int width = HeadWidth(arguments.Width, q.Type);
        (int queries, int shared) = simt ? (64, (96 * (width + 4) * sizeof(float)) + (64 * 32 * sizeof(float))) : (128, 256 * width * sizeof(ushort));
        Launch(
            HeadKernel(AttentionForward, width, q.Type),
            Dim3.Of(Blocks(arguments.Queries, queries), heads, q.Shape[0]),
            new Dim3(128),
            in arguments,
            shared
        );
    }

    /// <inheritdoc cref="IBackend.AttentionBackward"/>
    public void AttentionBackward(
        Tensor dO,
        Tensor q,
        Tensor k,
        Tensor v,
        Tensor o,
        Tensor logSumExp,
        Tensor dq,
        Tensor dk,
        Tensor dv,
        int heads,
        bool causal
    )
    {
        AttentionArguments arguments = AttentionShapes(q, k, v, o, logSumExp, heads, causal);
        Require.That(!logSumExp.IsNone, nameof(logSumExp), logSumExp, "the log-sum-exp that the forward pass saved");
        Require.Matrix(dO, q.Rows, q.Columns, q.Type);
        Require.Matrix(dq, q.Rows, q.Columns, q.Type);
        Require.Matrix(dk, k.Rows, k.Columns, q.Type);
        Require.Matrix(dv, v.Rows, v.Columns, q.Type);
        if (q.Rows == 0)
        {
            return;
        }

        arguments = arguments with
        {
            DO = dO.Address,
            Dq = dq.Address,
            Dk = dk.Address,
            Dv = dv.Address,
            DOStride = dO.RowStride,
            DqStride = dq.RowStride,
            DkStride = dk.RowStride,
            DvStride = dv.RowStride,
            Delta = _workspace.Take(AttentionBackwardWorkspace(q, heads)),
            Vectors = Flag(HasHeadVectors(heads, q, k, v, o, dO, dq, dk, dv)),
        };
        Launch(AttentionDelta[q.Type], Dim3.Of(q.Rows), Dim3.Of(Math.Min(128, Blocks(heads, 4) * 32)), in arguments);

        // As in kernels/attentionbackward.cuh.
        bool simt = q.Type == ElementType.Float32;
        int width = HeadWidth(arguments.Width, q.Type);
        int own = simt ? 32 : 64;
        int other = width > 64 ? own / 2 : own;
        int shared = simt
            ? (2 * (own + other) * (width + 4) * sizeof(float)) + (2 * own * 32 * sizeof(float))
            : (2 * (own + (2 * other)) * width * sizeof(ushort)) + (4 * other * sizeof(float));
        Launch(
            HeadKernel(AttentionKeys, width, q.Type),
            Dim3.Of(Blocks(arguments.Keys, own), heads, q.Shape[0]),
            new Dim3(128),
            in arguments,
            shared
        );
        Launch(
            HeadKernel(AttentionQueries, width, q.Type),
            Dim3.Of(Blocks(arguments.Queries, own), heads, q.Shape[0]),
            new Dim3(128),
            in arguments,
            shared
        );
    }

    private static AttentionArguments AttentionShapes(Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, int heads, bool causal)
    {
        Require.Storage(q);
        Require.Rank(q, 3);
        Require.Rank(k, 3);
        Require.That(
            heads > 0 && q.Columns % heads == 0 && q.Columns > 0,
            nameof(q),
            q,
            "a multiple of the number of heads as its fastest dimension"
        );
        Require.That(q.Columns <= heads * WidestHead, nameof(q), q, $"heads of at most {WidestHead} elements");
        Require.That(k.Shape[0] == q.Shape[0], nameof(k), k, "as many images as q");
        Require.That(!causal || k.Shape[1] == q.Shape[1], nameof(k), k, "as many tokens as q when causal");
        Require.Matrix(k, -1, q.Columns, q.Type);
        Require.Matrix(v, k.Rows, q.Columns, q.Type);
        Require.Matrix(o, q.Rows, q.Columns, q.Type);
        if (!logSumExp.IsNone)
        {
            Require.Count(logSumExp, (long)q.Rows * heads);
        }

        int width = q.Columns / heads;
        return new AttentionArguments
        {
            Q = q.Address,
            K = k.Address,
            V = v.Address,
            O = o.Address,
            LogSumExp = logSumExp.Address,
            QStride = q.RowStride,
            KStride = k.RowStride,
            VStride = v.RowStride,
            OStride = o.RowStride,
            Heads = heads,
            Queries = q.Shape[1],
            Keys = k.Shape[1],
            Width = width,
            Causal = Flag(causal),
            Scale = 1f / MathF.Sqrt(width),
            ScaleLog2E = (float)(Math.Log2(Math.E) / Math.Sqrt(width)),
        };
    }

    /// <summary>Whether every row of every head can be moved in 16-byte pieces.</summary>
    private static bool HasHeadVectors(int heads, params ReadOnlySpan<Tensor> tensors)
    {
        foreach (Tensor x in tensors)
        {
            if (!HasVectors(x) || x.Columns / heads % (16 / x.Type.Size()) != 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The instances of an attention kernel: head widths of 32, 64 and 128 in fp32, then 32, 64, 80 and 128 in bf16.</summary>
    private static KernelName<AttentionArguments>[] HeadKernels(string stem) =>
        [new(stem, $"{stem}_32_f32"), new(stem, $"{stem}_64_f32"), new(stem, $"{stem}_128_f32"),
        new(stem, $"{stem}_32_bf16"), new(stem, $"{stem}_64_bf16"), new(stem, $"{stem}_80_bf16"), new(stem, $"{stem}_128_bf16")];

    /// <summary>Head width of the instance that heads of <paramref name="width"/> run in.</summary>
    private static int HeadWidth(int width, ElementType storage) =>
        width <= 32 ? 32
        : width <= 64 ? 64
        : width <= 80 && storage == ElementType.BFloat16 ? 80
        : WidestHead;

    private static KernelName<AttentionArguments> HeadKernel(KernelName<AttentionArguments>[] kernels, int width, ElementType storage) =>
        storage == ElementType.Float32 ? kernels[width / 64] : kernels[width switch { 32 => 3, 64 => 4, 80 => 5, _ => 6 }];

    // As in kernels/attention.cuh.

    /// <summary>Bytes that <see cref="AttentionBackward"/> takes for partial results.</summary>
    internal static long AttentionBackwardWorkspace(Tensor q, int heads) => (long)q.Rows * heads * sizeof(float);

    private readonly record struct AttentionArguments(
        nint Q,
        nint K,
        nint V,
        nint O,
        nint DO,
        nint Out,
        nint Dq,
        nint Dk,
        nint Dv,
        nint LogSumExp,
        nint Delta,
        long QStride,
        long KStride,
        long VStride,
        long OStride,
        long DOStride,
        long DqStride,
        long DkStride,
        long DvStride,
        int Heads,
        int Queries,
        int Keys,
        int Width,
        int Causal,
        int Vectors,
        float Scale,
        float ScaleLog2E
    );
}
