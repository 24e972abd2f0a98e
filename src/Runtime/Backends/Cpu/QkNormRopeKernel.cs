using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>
/// RMS norm and rotation of one head after the other, 16 channels at a time; a head whose width is no multiple of 16 ends in a vector
/// filled up with zeros, which add nothing to any sum.
/// </summary>
internal unsafe struct QkNormRopeKernel
{
    // Rows whose weight gradient is summed by one worker; part of the fixed order of the sum, not a tuning knob.
    private const int BlockRows = 16;

    public float* X, Weight, Cos, Sin, Y, Rstd, DX, Partial;
    public nint XStride, CosStride, SinStride, YStride, DXStride;
    public int Images, Length, Tokens, FirstRow, Heads, Width;
    public float Epsilon;

    /// <summary>Blocks of rows in an image; a block never reaches into the next image.</summary>
    public readonly int BlocksPerImage => (Length + BlockRows - 1) / BlockRows;

    /// <summary>Width rounded up to whole vectors.</summary>
    public readonly int WidthPadded => (Width + 15) & ~15;

    /// <summary>Body of the loop over rows of x.</summary>
    public static void Forward(void* state, int start, int end, int worker)
    {
        ref QkNormRopeKernel args = ref *(QkNormRopeKernel*)state;
        int width = args.Width;
        for (int row = start; row < end; row++)
        {
            int token = args.FirstRow + (row % args.Length);
            float* cos = args.Cos + (token * args.CosStride);
            float* sin = args.Sin + (token * args.SinStride);
            for (int head = 0; head < args.Heads; head++)
            {
                float* x = args.X + (row * args.XStride) + (head * width);
                float* y = args.Y + ((((nint)(row / args.Length) * args.Tokens) + token) * args.YStride) + (head * width);
                Vector512<float> squares = Vector512<float>.Zero;
                for (int d = 0; d < width; d += 16)
                {
                    Vector512<float> v = Load(x + d, width - d);
                    squares = Vector512.FusedMultiplyAdd(v, v, squares);
                }

                float rstd = 1f / MathF.Sqrt((Lanes.Sum(squares) / width) + args.Epsilon);
                args.Rstd[((nint)row * args.Heads) + head] = rstd;
                for (int d = 0; d < width; d += 16)
                {
                    int left = width - d;
                    Vector512<float> n = Load(x + d, left) * rstd * Load(args.Weight + d, left);
                    Vector512<float> turned = Vector512.FusedMultiplyAdd(
                        n,
                        LoadPairs(cos + (d / 2), left),
                        SwapPairs(n) * LoadPairs(sin + (d / 2), left) * EvenMinus
                    );
                    Store(turned, y + d, left);
                }
            }
        }
    }

    /// <summary>Body of the loop over blocks of rows: dx, and each block's own sum for the weight gradient.</summary>
    public static void Backward(void* state, int start, int end, int worker)
    {
        ref QkNormRopeKernel args = ref *(QkNormRopeKernel*)state;
        for (int block = start; block < end; block++)
        {
            float* partial = args.Partial == null ? null : args.Partial + ((nint)block * args.WidthPadded);
            if (partial != null)
            {
                new Span<float>(partial, args.WidthPadded).Clear();
            }

            int image = block / args.BlocksPerImage;
            int first = block % args.BlocksPerImage * BlockRows;
            int last = Math.Min(args.Length, first + BlockRows);
            for (int l = first; l < last; l++)
            {
                for (int head = 0; head < args.Heads; head++)
                {
                    BackwardHead(ref args, image, l, head, partial);
                }
            }
        }
    }

    private static void BackwardHead(ref QkNormRopeKernel args, int image, int l, int head, float* partial)
    {
        int width = args.Width;
        nint row = ((nint)image * args.Length) + l;
        int token = args.FirstRow + l;
        float* cos = args.Cos + (token * args.CosStride);
        float* sin = args.Sin + (token * args.SinStride);
        float* x = args.X + (row * args.XStride) + (head * width);
        float* dx = args.DX + (row * args.DXStride) + (head * width);
        float* dy = args.Y + ((((nint)image * args.Tokens) + token) * args.YStride) + (head * width);
        float rstd = args.Rstd[(row * args.Heads) + head];
        Vector512<float> products = Vector512<float>.Zero;
        for (int d = 0; d < width; d += 16)
        {
            int left = width - d;
            Vector512<float> normal = Load(x + d, left) * rstd;
            Vector512<float> dn = TurnBack(dy + d, cos + (d / 2), sin + (d / 2), left);
            products = Vector512.FusedMultiplyAdd(dn * Load(args.Weight + d, left), normal, products);
            if (partial != null)
            {
                Vector512.FusedMultiplyAdd(dn, normal, Vector512.Load(partial + d)).Store(partial + d);
            }
        }

        Vector512<float> mean = Vector512.Create(Lanes.Sum(products) / width);
        for (int d = 0; d < width; d += 16)
        {
            // dx may be the place dy lies at: dy of these channels is read before dx is written.
            int left = width - d;
            Vector512<float> g = TurnBack(dy + d, cos + (d / 2), sin + (d / 2), left) * Load(args.Weight + d, left);
            Store((g - (Load(x + d, left) * rstd * mean)) * rstd, dx + d, left);
        }
    }

    private static Vector512<float> EvenMinus => Vector512.Create(-1f, 1f, -1f, 1f, -1f, 1f, -1f, 1f, -1f, 1f, -1f, 1f, -1f, 1f, -1f, 1f);

    // The transpose of the rotation: the same with the angle negated.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> TurnBack(float* dy, float* cos, float* sin, int left)
    {
        Vector512<float> g = Load(dy, left);
        return Vector512.FusedMultiplyAdd(g, LoadPairs(cos, left), -(SwapPairs(g) * LoadPairs(sin, left) * EvenMinus));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> SwapPairs(Vector512<float> x) =>
        Vector512.Shuffle(x, Vector512.Create(1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));

    // Each of eight angles twice, for both channels of its pair.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> LoadPairs(float* angles, int left)
    {
        Vector256<float> half = left >= 16 ? Vector256.Load(angles) : Load(angles, left / 2).GetLower();
        return Vector512.Shuffle(Vector512.Create(half, half), Vector512.Create(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Load(float* from, int left) => left >= 16 ? Vector512.Load(from) : LoadPart(from, left);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Vector512<float> LoadPart(float* from, int left)
    {
        float* padded = stackalloc float[16];
        Vector512<float>.Zero.Store(padded);
        for (int i = 0; i < left; i++)
        {
            padded[i] = from[i];
        }

        return Vector512.Load(padded);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector512<float> x, float* to, int left)
    {
        if (left >= 16)
        {
            x.Store(to);
        }
        else
        {
            StorePart(x, to, left);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void StorePart(Vector512<float> x, float* to, int left)
    {
        float* padded = stackalloc float[16];
        x.Store(padded);
        for (int i = 0; i < left; i++)
        {
            to[i] = padded[i];
        }
    }
}
