using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>
/// Loop bodies of the group norm. Tokens are taken in pieces that stay in the cache, each summed twice: for the means of its groups, then for the
/// squared distances from them. Pieces are combined in order, in fp64, so that neither cancellation nor a long sum costs digits.
/// </summary>
internal unsafe struct GroupNormKernel
{
    private const int PieceTokens = 64;
    private const int MostChunks = 256;

    /// <summary>Input and output, tokens apart by strides.</summary>
    public float* X, Y;

    public int XStride, YStride;

    /// <summary>[C] each.</summary>
    public float* Weight, Bias;

    /// <summary>[images, chunks, groups, 2]: means and sums of squared distances.</summary>
    public double* Chunks;

    /// <summary>[images, 2, C]: what is taken from a channel, and what it is then multiplied by.</summary>
    public float* Channels;

    /// <summary>Addresses of [C] floats and [groups, 2] doubles of every worker.</summary>
    public nint* Scratch;

    /// <summary>Sizes.</summary>
    public int Images, Tokens, Columns, Groups;

    public float Epsilon;

    public Activation Activation;

    /// <summary>Bytes of a worker's scratch.</summary>
    public readonly nuint ScratchBytes => ((nuint)(Columns + 15 & ~15) * sizeof(float)) + ((nuint)Groups * 2 * sizeof(double));

    /// <summary>Tokens of a chunk, from the size of an image alone.</summary>
    public readonly int ChunkTokens => Math.Max(1, (Tokens + (MostChunks * PieceTokens) - 1) / (MostChunks * PieceTokens)) * PieceTokens;

    /// <summary>Chunks of an image.</summary>
    public readonly int ChunksPerImage => (Tokens + ChunkTokens - 1) / ChunkTokens;

    /// <summary>Loop body over chunks of all images.</summary>
    public static void Sum(void* state, int start, int end, int worker)
    {
        GroupNormKernel k = *(GroupNormKernel*)state;
        float* sums = (float*)k.Scratch[worker];
        double* piece = (double*)(sums + (k.Columns + 15 & ~15));
        for (int item = start; item < end; item++)
        {
            (int image, int chunk) = Math.DivRem(item, k.ChunksPerImage);
            double* total = k.Chunks + ((nint)item * k.Groups * 2);
            int first = chunk * k.ChunkTokens, last = Math.Min(k.Tokens, first + k.ChunkTokens);
            for (int token = first; token < last; token += PieceTokens)
            {
                int count = Math.Min(PieceTokens, last - token);
                float* x = k.X + ((((nint)image * k.Tokens) + token) * k.XStride);
                double* into = token == first ? total : piece;
                k.SumPiece(x, count, sums, into);
                if (token > first)
                {
                    k.Combine(total, token - first, piece, count);
                }
            }
        }
    }

    /// <summary>Loop body over images: the chunks of an image become the offset and factor of every channel.</summary>
    public static void Finish(void* state, int start, int end, int worker)
    {
        GroupNormKernel k = *(GroupNormKernel*)state;
        int each = k.Columns / k.Groups;
        for (int image = start; image < end; image++)
        {
            double* total = k.Chunks + ((nint)image * k.ChunksPerImage * k.Groups * 2);
            for (int chunk = 1; chunk < k.ChunksPerImage; chunk++)
            {
                int before = chunk * k.ChunkTokens;
                k.Combine(total, before, total + ((nint)chunk * k.Groups * 2), Math.Min(k.ChunkTokens, k.Tokens - before));
            }

            float* offsets = k.Channels + ((nint)image * 2 * k.Columns);
            float* factors = offsets + k.Columns;
            for (int c = 0; c < k.Columns; c++)
            {
                double* group = total + (c / each * 2);
                offsets[c] = (float)group[0];
                factors[c] = (float)(k.Weight[c] / Math.Sqrt((group[1] / ((double)k.Tokens * each)) + k.Epsilon));
            }
        }
    }

    /// <summary>Loop body over tokens of all images.</summary>
    public static void Apply(void* state, int start, int end, int worker)
    {
        GroupNormKernel k = *(GroupNormKernel*)state;
        for (int row = start; row < end; row++)
        {
            float* offsets = k.Channels + ((nint)(row / k.Tokens) * 2 * k.Columns);
            float* factors = offsets + k.Columns;
            float* x = k.X + ((nint)row * k.XStride);
            float* y = k.Y + ((nint)row * k.YStride);
            for (int c = 0; c < k.Columns; c += Lanes.Count)
            {
                int left = k.Columns - c;
                Vector512<float> value = Vector512.FusedMultiplyAdd(
                    Lanes.Load(x + c, left) - Lanes.Load(offsets + c, left),
                    Lanes.Load(factors + c, left),
                    Lanes.Load(k.Bias + c, left)
                );
                Lanes.Store(ActivationMath.Value(value, k.Activation), y + c, left);
            }
        }
    }

    /// <summary>Mean and sum of squared distances from it of every group over <paramref name="count"/> tokens.</summary>
    private readonly void SumPiece(float* x, int count, float* sums, double* into)
    {
        int each = Columns / Groups;
        for (int pass = 0; pass < 2; pass++)
        {
            for (int c = 0; c < Columns; c += Lanes.Count)
            {
                int left = Columns - c;
                float* value = x + c;
                Vector512<float> sum = Vector512<float>.Zero;
                Vector512<float> centre = pass == 0 ? sum : Lanes.Load(sums + c, left);
                for (int token = 0; token < count; token++, value += XStride)
                {
                    Vector512<float> distance = Lanes.Load(value, left) - centre;
                    sum = pass == 0 ? sum + distance : Vector512.FusedMultiplyAdd(distance, distance, sum);
                }

                Lanes.Store(sum, sums + c, left);
            }

            for (int group = 0; group < Groups; group++)
            {
                double sum = 0;
                for (int c = group * each; c < (group + 1) * each; c++)
                {
                    sum += sums[c];
                }

                into[(2 * group) + pass] = pass == 0 ? (float)(sum / ((double)count * each)) : sum;
                if (pass == 0)
                {
                    new Span<float>(sums + (group * each), each).Fill((float)into[2 * group]);
                }
            }
        }
    }

    /// <summary>Adds the statistics of <paramref name="count"/> more tokens to those of the <paramref name="before"/> first ones.</summary>
    private readonly void Combine(double* total, int before, double* more, int count)
    {
        double share = (double)count / (before + count);
        double weight = share * before * (Columns / Groups);
        for (int group = 0; group < Groups; group++, total += 2, more += 2)
        {
            double apart = more[0] - total[0];
            total[0] += apart * share;
            total[1] += more[1] + (apart * apart * weight);
        }
    }
}
