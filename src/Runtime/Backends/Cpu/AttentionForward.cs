using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>
/// Attention by tiles with a running softmax. An item of the parallel loop is a tile of queries of one head of one image; it meets the key
/// tiles in ascending order whatever the other items do, so a row's bits depend on that image alone.
/// </summary>
internal static unsafe class AttentionForward
{
    /// <summary>Queries of one item: the packing of keys and values is paid once for so many.</summary>
    public const int QueryTile = 128;

    private const int KeyTile = 128;

    /// <summary>Floats of scratch memory that each worker needs.</summary>
    public static nuint ScratchFloats(in AttentionArguments args) => (nuint)((KeyTile * args.Width) + (KeyTile * args.WidthPanels)
        + (2 * QueryTile * args.WidthPadded) + (TileProduct.RowBlock * KeyTile) + (QueryTile * 17));

    /// <summary>Body of the parallel loop over images × heads × query tiles.</summary>
    public static void Run(void* state, int start, int end, int worker)
    {
        ref AttentionArguments args = ref *(AttentionArguments*)state;
        int tiles = (args.Queries + QueryTile - 1) / QueryTile;
        int width = args.WidthPadded;
        float* keysTransposed = (float*)args.Scratch[worker];
        float* values = keysTransposed + (KeyTile * args.Width);
        float* queries = values + (KeyTile * args.WidthPanels);
        float* output = queries + (QueryTile * width);
        float* scores = output + (QueryTile * width);
        float* sums = scores + (TileProduct.RowBlock * KeyTile);
        float* maxima = sums + (QueryTile * 16);

        for (int item = start; item < end; item++)
        {
            int image = item / tiles / args.Heads;
            int head = item / tiles % args.Heads;
            int firstQuery = item % tiles * QueryTile;
            int count = Math.Min(QueryTile, args.Queries - firstQuery);
            int padded = (count + TileProduct.RowBlock - 1) & -TileProduct.RowBlock;
            TilePack.Rows(
                args.Token(args.Q, args.QStride, image, args.Queries, firstQuery, head),
                args.QStride,
                count,
                args.Width,
                args.Scale,
                queries,
                padded,
                width
            );
            new Span<float>(sums, padded * 16).Clear();
            new Span<float>(maxima, padded).Fill(float.NegativeInfinity);

            int lastKey = args.Causal ? Math.Min(args.Keys, firstQuery + count) : args.Keys;
            for (int firstKey = 0; firstKey < lastKey; firstKey += KeyTile)
            {
                int keys = Math.Min(KeyTile, args.Keys - firstKey);
                int keysPadded = (keys + 15) & ~15;
                TilePack.TransposedPanels(
                    args.Token(args.K, args.KStride, image, args.Keys, firstKey, head),
                    args.KStride,
                    keys,
                    args.Width,
                    keysTransposed
                );
                TilePack.Panels(args.Token(args.V, args.VStride, image, args.Keys, firstKey, head), args.VStride, keys, args.Width, values, KeyTile);
                for (int r = 0; r < padded; r += TileProduct.RowBlock)
                {
                    TileProduct.Multiply(queries + (r * width), width, 1, keysTransposed, TileProduct.PanelWidth, args.Width * TileProduct.PanelWidth,
                        scores, KeyTile, TileProduct.RowBlock, keysPadded, args.Width, false);
                    for (int i = 0; i < TileProduct.RowBlock; i++)
                    {
                        // Rows of padding repeat the visibility of the last query: a row that sees nothing would make NaN out of -inf - -inf.
                        int visible = args.Visible(firstQuery + Math.Min(r + i, count - 1), firstKey, keys);
                        SoftmaxRow(
                            scores + (i * KeyTile),
                            keysPadded,
                            visible,
                            sums + ((r + i) * 16),
                            maxima + r + i,
                            output + ((r + i) * width),
                            width,
                            firstKey == 0
                        );
                    }

                    TileProduct.Multiply(
                        scores,
                        KeyTile,
                        1,
                        values,
                        TileProduct.PanelWidth,
                        KeyTile * TileProduct.PanelWidth,
                        output + (r * width),
                        width,
                        TileProduct.RowBlock,
                        width,
                        keys,
                        firstKey != 0
                    );
                }
            }

            Finish(ref args, image, head, firstQuery, count, output, sums, maxima);
        }
    }

    // Turns scores into exp(score - maximum), keeps the sum in 16 lanes, and brings what older tiles left to the new maximum.
    private static void SoftmaxRow(float* scores, int columns, int visible, float* sum, float* maximum, float* output, int width, bool first)
    {
        Vector512<float> hidden = Vector512.Create(float.NegativeInfinity);
        Vector512<float> top = hidden;
        for (int j = 0; j < columns; j += 16)
        {
            Vector512<float> s = Vector512.Load(scores + j);
            if (j + 16 > visible)
            {
                s = Vector512.ConditionalSelect(
                    Vector512.LessThan(Vector512<int>.Indices + Vector512.Create(j), Vector512.Create(visible)).AsSingle(),
                    s,
                    hidden
                );
                s.Store(scores + j);
            }

            top = Vector512.Max(top, s);
        }

        float old = *maximum;
        float now = MathF.Max(old, Lanes.MaxOrNaN(top));
        Vector512<float> shift = Vector512.Create(now);
        Vector512<float> total = Vector512.Load(sum);
        if (!first && now != old)
        {
            Vector512<float> factor = SimdMath.Exp(Vector512.Create(old) - shift);
            total *= factor;
            for (int d = 0; d < width; d += 16)
            {
                (Vector512.Load(output + d) * factor).Store(output + d);
            }
        }

        for (int j = 0; j < columns; j += 16)
        {
            Vector512<float> p = SimdMath.Exp(Vector512.Load(scores + j) - shift);
            p.Store(scores + j);
            total += p;
        }

        total.Store(sum);
        *maximum = now;
    }

    private static void Finish(ref AttentionArguments args, int image, int head, int firstQuery, int count, float* output, float* sums, float* maxima)
    {
        int width = args.WidthPadded;
        float* o = args.Token(args.O, args.OStride, image, args.Queries, firstQuery, head);
        float* saved = args.LogSumExp == null ? null : args.LogSumExp + ((((nint)image * args.Heads) + head) * args.Queries) + firstQuery;
        for (int r = 0; r < count; r++)
        {
            float sum = Lanes.Sum(Vector512.Load(sums + (r * 16)));
            TilePack.CopyOut(output + (r * width), width, 1, args.Width, 1f / sum, o + (r * args.OStride), args.OStride);
            if (saved != null)
            {
                saved[r] = maxima[r] + SimdMath.Log(Vector512.Create(sum)).ToScalar();
            }
        }
    }
}
