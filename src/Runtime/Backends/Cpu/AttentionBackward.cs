using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>
/// Gradients of attention by tiles. Every sum runs in one order (dq over ascending keys, dk and dv over ascending query blocks) in both
/// ways of splitting the work, so that heads may be split over workers or not and the bits stay.
/// </summary>
internal static unsafe class AttentionBackward
{
    /// <summary>Keys of one item of <see cref="RunKeyTiles"/>.</summary>
    public const int KeyTile = 128;

    /// <summary>Queries of one item of <see cref="RunQueryTiles"/>: whole blocks, so that blocks begin at the same rows in every split.</summary>
    public const int QueryTile = 3 * QueryBlock;

    // Deep enough that the accumulators of dk and dv are seldom reloaded, small enough that both score tiles stay in the first cache.
    private const int QueryBlock = 40;

    /// <summary>Floats of scratch memory that each worker needs when an item covers <paramref name="queries"/> queries of dq (0: none).</summary>
    public static nuint ScratchFloats(in AttentionArguments args, int queries) =>
        (nuint)(KeyTile * ((2 * args.Width) + args.WidthPanels + (2 * args.WidthPadded)))
        + (nuint)(QueryBlock * ((2 * args.WidthPadded) + (2 * KeyTile) + 2))
        + QueryFloats(in args, queries);

    /// <summary>Body of the loop over images × heads: all three gradients with five products a tile.</summary>
    public static void RunHeads(void* state, int start, int end, int worker)
    {
        ref AttentionArguments args = ref *(AttentionArguments*)state;
        Workspace work = new(ref args, args.Scratch[worker], args.Queries);
        for (int item = start; item < end; item++)
        {
            Tiles(ref args, ref work, item / args.Heads, item % args.Heads, 0, args.Queries, 0, args.Keys, true, true);
        }
    }

    /// <summary>Body of the loop over images × heads × key tiles: dk and dv only.</summary>
    public static void RunKeyTiles(void* state, int start, int end, int worker)
    {
        ref AttentionArguments args = ref *(AttentionArguments*)state;
        Workspace work = new(ref args, args.Scratch[worker], 0);
        int tiles = (args.Keys + KeyTile - 1) / KeyTile;
        for (int item = start; item < end; item++)
        {
            int pair = item / tiles;
            int firstKey = item % tiles * KeyTile;
            Tiles(
                ref args,
                ref work,
                pair / args.Heads,
                pair % args.Heads,
                0,
                args.Queries,
                firstKey,
                Math.Min(args.Keys, firstKey + KeyTile),
                true,
                false
            );
        }
    }

    /// <summary>Body of the loop over images × heads × query tiles: dq only.</summary>
    public static void RunQueryTiles(void* state, int start, int end, int worker)
    {
        ref AttentionArguments args = ref *(AttentionArguments*)state;
        Workspace work = new(ref args, args.Scratch[worker], QueryTile);
        int tiles = (args.Queries + QueryTile - 1) / QueryTile;
        for (int item = start; item < end; item++)
        {
            int pair = item / tiles;
            int firstQuery = item % tiles * QueryTile;
            Tiles(
                ref args,
                ref work,
                pair / args.Heads,
                pair % args.Heads,
                firstQuery,
                Math.Min(args.Queries, firstQuery + QueryTile),
                0,
                args.Keys,
                false,
                true
            );
        }
    }

    private static nuint QueryFloats(in AttentionArguments args, int queries) => (nuint)(queries + TileProduct.RowBlock) * (nuint)args.WidthPadded;

    private static void Tiles(
        ref AttentionArguments args,
        ref Workspace work,
        int image,
        int head,
        int firstQuery,
        int endQuery,
        int firstKey,
        int endKey,
        bool wantKeys,
        bool wantQueries
    )
    {
        int depth = args.Width;
        int width = args.WidthPadded;
        const int Panel = TileProduct.PanelWidth;
        for (int key = firstKey; key < endKey && (!args.Causal || key < endQuery); key += KeyTile)
        {
            int keys = Math.Min(KeyTile, endKey - key);
            int columns = (keys + 15) & ~15;
            int keyRows = (keys + TileProduct.RowBlock - 1) & -TileProduct.RowBlock;
            float* k = args.Token(args.K, args.KStride, image, args.Keys, key, head);
            float* v = args.Token(args.V, args.VStride, image, args.Keys, key, head);
            TilePack.TransposedPanels(k, args.KStride, keys, depth, work.KeysTransposed);
            TilePack.TransposedPanels(v, args.VStride, keys, depth, work.ValuesTransposed);
            if (wantQueries)
            {
                TilePack.Panels(k, args.KStride, keys, depth, work.Keys, KeyTile);
            }

            if (wantKeys)
            {
                new Span<float>(work.DK, keyRows * width).Clear();
                new Span<float>(work.DV, keyRows * width).Clear();
            }

            // Causal: blocks that end before the first key of the tile see none of it.
            int query = args.Causal ? Math.Max(firstQuery, key / QueryBlock * QueryBlock) : firstQuery;
            for (; query < endQuery; query += QueryBlock)
            {
                int count = Math.Min(QueryBlock, endQuery - query);
                int rows = (count + TileProduct.RowBlock - 1) & -TileProduct.RowBlock;
                LoadQueries(ref args, ref work, image, head, query, count, rows);
                TileProduct.Multiply(work.Q, width, 1, work.KeysTransposed, Panel, depth * Panel, work.P, columns, rows, columns, depth, false);
                TileProduct.Multiply(work.DO, width, 1, work.ValuesTransposed, Panel, depth * Panel, work.DS, columns, rows, columns, depth, false);
                for (int r = 0; r < rows; r++)
                {
                    int visible = r < count ? args.Visible(query + r, key, keys) : 0;
                    ScoreGradientRow(work.P + (r * columns), work.DS + (r * columns), columns, visible, work.LogSumExp[r], work.Delta[r]);
                }

                if (wantKeys)
                {
                    TileProduct.Multiply(work.P, 1, columns, work.DO, width, Panel, work.DV, width, keyRows, width, count, true);
                    TileProduct.Multiply(work.DS, 1, columns, work.Q, width, Panel, work.DK, width, keyRows, width, count, true);
                }

                if (wantQueries)
                {
                    TileProduct.Multiply(
                        work.DS,
                        columns,
                        1,
                        work.Keys,
                        Panel,
                        KeyTile * Panel,
                        work.DQ + ((query - firstQuery) * width),
                        width,
                        rows,
                        width,
                        keys,
                        key != 0
                    );
                }
            }

            if (wantKeys)
            {
                TilePack.CopyOut(work.DK, width, keys, depth, 1f, args.Token(args.DK, args.DKStride, image, args.Keys, key, head), args.DKStride);
                TilePack.CopyOut(work.DV, width, keys, depth, 1f, args.Token(args.DV, args.DVStride, image, args.Keys, key, head), args.DVStride);
            }
        }

        if (wantQueries)
        {
            TilePack.CopyOut(work.DQ, width, endQuery - firstQuery, depth, args.Scale,
                args.Token(args.DQ, args.DQStride, image, args.Queries, firstQuery, head), args.DQStride);
        }
    }

    // The scale of the scores sits in the packed queries: dk inherits it from them, dq gets it when it is written out.
    private static void LoadQueries(ref AttentionArguments args, ref Workspace work, int image, int head, int query, int count, int rows)
    {
        int width = args.WidthPadded;
        TilePack.Rows(
            args.Token(args.Q, args.QStride, image, args.Queries, query, head),
            args.QStride,
            count,
            args.Width,
            args.Scale,
            work.Q,
            rows,
            width
        );
        TilePack.Rows(
            args.Token(args.DO, args.DOStride, image, args.Queries, query, head),
            args.DOStride,
            count,
            args.Width,
            1f,
            work.DO,
            rows,
            width
        );
        float* o = args.Token(args.O, args.OStride, image, args.Queries, query, head);
        float* saved = args.LogSumExp + ((((nint)image * args.Heads) + head) * args.Queries) + query;
        for (int r = 0; r < count; r++, o += args.OStride)
        {
            float* d = work.DO + (r * width);
            Vector512<float> sum = Vector512<float>.Zero;
            int i = 0;
            for (; i + 16 <= args.Width; i += 16)
            {
                sum = Vector512.FusedMultiplyAdd(Vector512.Load(d + i), Vector512.Load(o + i), sum);
            }

            float delta = Lanes.Sum(sum);
            for (; i < args.Width; i++)
            {
                delta = MathF.FusedMultiplyAdd(d[i], o[i], delta);
            }

            work.Delta[r] = delta;
            work.LogSumExp[r] = saved[r];
        }

        for (int r = count; r < rows; r++)
        {
            work.Delta[r] = 0f;
            work.LogSumExp[r] = 0f;
        }
    }

    // On entry p holds scores and ds holds dO v^T; on return probabilities and gradients of the scores, zero where the key is hidden.
    private static void ScoreGradientRow(float* p, float* ds, int columns, int visible, float logSumExp, float delta)
    {
        Vector512<float> shift = Vector512.Create(logSumExp);
        Vector512<float> offset = Vector512.Create(delta);
        int j = 0;
        for (; j + 16 <= visible; j += 16)
        {
            Vector512<float> e = SimdMath.Exp(Vector512.Load(p + j) - shift);
            e.Store(p + j);
            (e * (Vector512.Load(ds + j) - offset)).Store(ds + j);
        }

        for (; j < columns; j += 16)
        {
            Vector512<float> shown = Vector512.LessThan(Vector512<int>.Indices + Vector512.Create(j), Vector512.Create(visible)).AsSingle();
            Vector512<float> e = SimdMath.Exp(Vector512.Load(p + j) - shift);
            Vector512.ConditionalSelect(shown, e, Vector512<float>.Zero).Store(p + j);
            Vector512.ConditionalSelect(shown, e * (Vector512.Load(ds + j) - offset), Vector512<float>.Zero).Store(ds + j);
        }
    }

    /// <summary>The tiles of one worker, cut from its scratch memory.</summary>
    private readonly ref struct Workspace
    {
        public readonly float* KeysTransposed, ValuesTransposed, Keys, DK, DV, Q, DO, P, DS, DQ, LogSumExp, Delta;

        public Workspace(ref AttentionArguments args, nint scratch, int queries)
        {
            int width = args.WidthPadded;
            int transposed = KeyTile * args.Width;
            int gradient = KeyTile * width;
            int rows = QueryBlock * width;
            const int Scores = QueryBlock * KeyTile;
            KeysTransposed = (float*)scratch;
            ValuesTransposed = KeysTransposed + transposed;
            Keys = ValuesTransposed + transposed;
            DK = Keys + (KeyTile * args.WidthPanels);
            DV = DK + gradient;
            Q = DV + gradient;
            DO = Q + rows;
            P = DO + rows;
            DS = P + Scores;
            DQ = DS + Scores;
            LogSumExp = DQ + QueryFloats(in args, queries);
            Delta = LogSumExp + QueryBlock;
        }
    }
}
