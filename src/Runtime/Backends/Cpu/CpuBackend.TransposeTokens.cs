namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.TransposeTokens"/>
    public void TransposeTokens(Tensor x, Tensor y)
    {
        Require.Rank(x, 3);
        Require.Rank(y, 3);
        Require.Matrix(x, -1, -1);
        Require.Matrix(y, -1, -1);
        Require.That(
            y.Shape[0] == x.Shape[0] && y.Shape[1] == x.Shape[2] && y.Shape[2] == x.Shape[1],
            nameof(y),
            y,
            "the last two dimensions of x exchanged"
        );
        TransposeTokensKernel kernel = new()
        {
            X = x.F32,
            XStride = x.RowStride,
            Y = y.F32,
            YStride = y.RowStride,
            Tokens = x.Shape[1],
            Columns = x.Shape[2],
            Tiles = (x.Shape[2] + TransposeTokensKernel.TileSize - 1) / TransposeTokensKernel.TileSize,
        };
        _team.For(x.Shape[0] * kernel.Tiles, &TransposeTokensKernel.Run, &kernel, RowGrain(TransposeTokensKernel.TileSize * x.Shape[1]));
    }

    private struct TransposeTokensKernel
    {
        /// <summary>A cache line: the lines that a tile reads are used up before they leave the cache.</summary>
        public const int TileSize = 16;

        public float* X, Y;
        public int XStride, YStride, Tokens, Columns, Tiles;

        public static void Run(void* state, int start, int end, int worker)
        {
            TransposeTokensKernel k = *(TransposeTokensKernel*)state;
            for (int item = start; item < end; item++)
            {
                int image = item / k.Tiles;
                int firstColumn = item % k.Tiles * TileSize;
                int lastColumn = Math.Min(k.Columns, firstColumn + TileSize);
                float* x = k.X + ((nint)image * k.Tokens * k.XStride);
                float* y = k.Y + ((nint)image * k.Columns * k.YStride);
                for (int firstToken = 0; firstToken < k.Tokens; firstToken += TileSize)
                {
                    int lastToken = Math.Min(k.Tokens, firstToken + TileSize);
                    for (nint c = firstColumn; c < lastColumn; c++)
                    {
                        for (nint n = firstToken; n < lastToken; n++)
                        {
                            y[(c * k.YStride) + n] = x[(n * k.XStride) + c];
                        }
                    }
                }
            }
        }
    }
}
