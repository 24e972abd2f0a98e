namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.GroupNorm"/>
    public void GroupNorm(Tensor x, Tensor weight, Tensor bias, Tensor y, int groups, float epsilon, Activation activation = Activation.None)
    {
        Require.GroupNorm(x, weight, bias, y, groups);
        Require.Matrix(x, -1, -1);
        if (x.Shape.Count == 0)
        {
            return;
        }

        nint* scratch = stackalloc nint[_team.Count];
        GroupNormKernel kernel = new()
        {
            X = x.F32,
            XStride = x.RowStride,
            Y = y.F32,
            YStride = y.RowStride,
            Weight = weight.F32,
            Bias = bias.F32,
            Images = x.Shape[0],
            Tokens = x.Rows / x.Shape[0],
            Columns = x.Columns,
            Groups = groups,
            Epsilon = epsilon,
            Activation = activation,
            Scratch = scratch,
        };
        int chunks = kernel.Images * kernel.ChunksPerImage;
        nuint chunkBytes = (nuint)chunks * (nuint)groups * 2 * sizeof(double);
        kernel.Chunks = (double*)_team.SharedScratch(chunkBytes + ((nuint)kernel.Images * 2 * (nuint)kernel.Columns * sizeof(float)));
        kernel.Channels = (float*)((byte*)kernel.Chunks + chunkBytes);
        WorkerScratch(scratch, kernel.ScratchBytes);
        _team.For(chunks, &GroupNormKernel.Sum, &kernel, RowGrain(Math.Min(kernel.ChunkTokens, kernel.Tokens) * kernel.Columns));
        _team.For(kernel.Images, &GroupNormKernel.Finish, &kernel, RowGrain(kernel.ChunksPerImage * kernel.Columns));
        _team.For(x.Rows, &GroupNormKernel.Apply, &kernel, RowGrain(kernel.Columns));
    }
}
