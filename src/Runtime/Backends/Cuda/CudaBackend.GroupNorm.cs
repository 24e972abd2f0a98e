using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    // As in kernels/groupnorm.cu.
    private const int GroupNormBlock = 256;

    /// <summary>Tokens that are worth a block, and the most blocks of an image: enough for any device.</summary>
    private const int GroupNormTokens = 64;
    private const int GroupNormChunks = 1024;

    private static readonly StorageKernelName<GroupNormArguments> GroupNormSums = new("groupnorm", "groupnorm_sums");
    private static readonly KernelName<GroupNormArguments> GroupNormFinish = new("groupnorm", "groupnorm_finish");
    private static readonly StorageKernelName<GroupNormArguments> GroupNormApply = new("groupnorm", "groupnorm_apply");

    /// <inheritdoc cref="IBackend.GroupNorm"/>
    public void GroupNorm(Tensor x, Tensor weight, Tensor bias, Tensor y, int groups, float epsilon, Activation activation = Activation.None)
    {
        Require.GroupNorm(x, weight, bias, y, groups);
        Require.Storage(x);
        if (x.Shape.Count == 0)
        {
            return;
        }

        (int images, int columns) = (x.Shape[0], x.Columns);
        int tokens = x.Rows / images;
        (int chunkTokens, int chunks) = GroupNormParts(tokens);
        bool vectors = HasVectors(x) && HasVectors(y) && HasVectors(weight) && HasVectors(bias);
        int runs = columns / (vectors ? RunLength(x.Type) : 1);
        int across = Math.Min(runs, GroupNormBlock);
        int down = GroupNormBlock / across;
        long chunkBytes = (long)images * chunks * groups * 2 * sizeof(float);
        nint workspace = _workspace.Take(GroupNormWorkspace(x, groups));
        var arguments = new GroupNormArguments(
            x.Address,
            weight.Address,
            bias.Address,
            y.Address,
            workspace,
            workspace + (nint)chunkBytes,
            x.RowStride,
            y.RowStride,
            tokens,
            columns,
            groups,
            chunkTokens,
            chunks,
            (int)activation,
            Flag(vectors),
            epsilon
        );
        var block = new Dim3((uint)across, (uint)down);
        int shared = 2 * sizeof(float) * ((down * columns) + columns + (columns / 32));
        Launch(GroupNormSums[x.Type], Dim3.Of(chunks, images), block, in arguments, shared);
        Launch(GroupNormFinish, Dim3.Of(Blocks(groups, GroupNormBlock / 32), images), new Dim3(GroupNormBlock), in arguments);
        Launch(GroupNormApply[x.Type], Dim3.Of(chunks, images), block, in arguments);
    }

    /// <summary>Bytes that <see cref="GroupNorm"/> takes for partial results.</summary>
    internal static long GroupNormWorkspace(Tensor x, int groups) =>
        (long)x.Shape[0] * (GroupNormParts(x.Rows / x.Shape[0]).Count + 1) * groups * 2 * sizeof(float);

    private static (int Tokens, int Count) GroupNormParts(int tokens)
    {
        int part = (int)Math.Max(GroupNormTokens, Blocks(tokens, GroupNormChunks));
        return (part, (int)Blocks(tokens, part));
    }

    private readonly record struct GroupNormArguments(
        nint X,
        nint Weight,
        nint Bias,
        nint Y,
        nint Chunks,
        nint Groups,
        long XStride,
        long YStride,
        int Tokens,
        int Columns,
        int GroupCount,
        int ChunkTokens,
        int ChunkCount,
        int Activation,
        int Vectors,
        float Epsilon
    );
}
