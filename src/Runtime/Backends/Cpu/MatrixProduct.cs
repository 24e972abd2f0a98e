using System.Runtime.CompilerServices;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>
/// C = A B for any strides, or A made of a convolution's patches, with a fused epilogue. B is packed once by all workers, A tile by tile by
/// the worker that uses it. The work is split by rows or by columns, whichever is more even; since every element adds the same
/// chains over k in the same order, no split can change a bit.
/// </summary>
internal unsafe struct MatrixProduct
{
    /// <summary>
    /// Depth at which products are cut along k: 12 rows of it stay in the first-level cache. Each depth is a chain of its own that is added
    /// to the sum, so the rounding error grows with this and not with K.
    /// </summary>
    private const int MaxDepth = 256;

    /// <summary>Widest row of A that is read in place.</summary>
    private const int MaxRowInPlace = 640;

    /// <summary>Elements between packed tiles that keep their beginnings out of the same set of the first-level cache.</summary>
    private const int TilePadding = 80;

    /// <summary>Row tiles that share a panel group while it is in the second-level cache.</summary>
    private const int BlockTiles = 10;

    /// <summary>Panels of B that are multiplied by one tile of A before the next tile comes.</summary>
    private const int GroupPanels = 8;

    /// <summary>Upper bound on the packed copy of B; wider products are done in column ranges.</summary>
    private const long MaxPackedBytes = 32L << 20;

    /// <summary>Multiply-adds that are worth waking a worker for.</summary>
    private const long WorkPerWorker = 100_000;

    public float* A;
    public nint ARowStride;
    public nint AColumnStride;
    public float* B;
    public nint BRowStride;
    public nint BColumnStride;
    public int M;
    public int N;
    public int K;
    public LinearEpilogue Epilogue;

    /// <summary>When not null, A is not in memory but made of this map's patches, in rows of depth.</summary>
    public PatchRows* Patches;

    private float* _packed;
    private float* _workers;
    private nint _workerStride;
    private int _firstPanel;
    private int _endPanel;
    private int _depth;
    private bool _byRows;

    /// <summary>Runs the product on <paramref name="team"/>.</summary>
    public void Run(ThreadTeam team)
    {
        if (M == 0 || N == 0)
        {
            return;
        }

        int chunks = Math.Max(1, (K + MaxDepth - 1) / MaxDepth);
        _depth = Math.Max(16, (((K + chunks - 1) / chunks) + 15) & ~15);
        int tiles = Tiles;
        int panels = (N + MatrixTile.Columns - 1) / MatrixTile.Columns;
        long panelBytes = Math.Max(1L, K) * MatrixTile.Columns * sizeof(float);
        int range = (int)Math.Clamp(MaxPackedBytes / panelBytes, 1, panels);
        int block = Math.Min(BlockTiles, tiles);
        _workerStride = ((nint)block * PackedTile) + ((_depth >= K ? 1 : (nint)block * range) * MatrixTile.Size);
        _packed = (float*)team.SharedScratch((nuint)((range * panelBytes) + (team.Count * _workerStride * sizeof(float))));
        _workers = _packed + ((nint)range * (nint)(panelBytes / sizeof(float)));
        MatrixProduct* self = (MatrixProduct*)Unsafe.AsPointer(ref this);
        for (_firstPanel = 0; _firstPanel < panels; _firstPanel = _endPanel)
        {
            _endPanel = Math.Min(_firstPanel + range, panels);
            int count = _endPanel - _firstPanel;
            long work = (long)M * K * count * MatrixTile.Columns;
            team.For(count * chunks, &Pack, self, work < 2 * WorkPerWorker ? int.MaxValue : 1);
            _byRows = tiles >= 8 * team.Count || Share(tiles, team.Count) <= Share(count, team.Count);
            int items = _byRows ? tiles : count;
            team.For(items, &Multiply, self, (int)Math.Clamp(WorkPerWorker * items / Math.Max(1, work), 1, int.MaxValue));
        }
    }

    private readonly int Tiles => (M + MatrixTile.Rows - 1) / MatrixTile.Rows;

    private readonly int PackedTile => (_depth * MatrixTile.Rows) + TilePadding;

    /// <summary>The part of the whole that the busiest of <paramref name="workers"/> gets.</summary>
    private static double Share(int items, int workers) => (double)((items + workers - 1) / workers) / items;

    private static void Pack(void* state, int start, int end, int worker)
    {
        MatrixProduct* p = (MatrixProduct*)state;
        int chunks = (p->K + p->_depth - 1) / p->_depth;
        for (int item = start; item < end; item++)
        {
            int panel = item / Math.Max(1, chunks);
            int k = item % Math.Max(1, chunks) * p->_depth;
            int column = (p->_firstPanel + panel) * MatrixTile.Columns;
            MatrixPacking.Right(p->B + (k * p->BRowStride) + (column * p->BColumnStride), p->BRowStride, p->BColumnStride,
                Math.Min(MatrixTile.Columns, p->N - column), Math.Min(p->_depth, p->K - k),
                p->_packed + ((((nint)panel * p->K) + k) * MatrixTile.Columns));
        }
    }

    private static void Multiply(void* state, int start, int end, int worker)
    {
        MatrixProduct* p = (MatrixProduct*)state;
        int tiles = p->Tiles;
        int panels = p->_endPanel - p->_firstPanel;
        (int firstTile, int endTile, int firstPanel, int endPanel) = p->_byRows ? (start, end, 0, panels) : (0, tiles, start, end);
        int block = Math.Min(BlockTiles, endTile - firstTile);
        int packedTile = p->PackedTile;
        bool whole = p->_depth >= p->K;
        float* left = p->_workers + (worker * p->_workerStride);
        float* sum = left + ((nint)block * packedTile);
        for (int tile = firstTile; tile < endTile; tile += block)
        {
            int count = Math.Min(block, endTile - tile);
            int k = 0;
            do
            {
                int depth = Math.Min(p->_depth, p->K - k);
                int ready = 0;
                if (p->AColumnStride != 1)
                {
                    ready = Math.Min(count, (p->M / MatrixTile.Rows) - tile);
                    MatrixPacking.LeftTiles(
                        p->A + ((nint)tile * MatrixTile.Rows) + (k * p->AColumnStride),
                        p->AColumnStride,
                        ready,
                        depth,
                        left,
                        packedTile
                    );
                }

                for (int panel = firstPanel; panel < endPanel; panel += GroupPanels)
                {
                    int groupEnd = Math.Min(panel + GroupPanels, endPanel);
                    for (int t = 0; t < count; t++)
                    {
                        float* kept = whole ? sum : sum + ((((nint)t * (endPanel - firstPanel)) + panel - firstPanel) * MatrixTile.Size);
                        p->MultiplyTile(tile + t, panel, groupEnd, k, depth, left + ((nint)t * packedTile), panel == firstPanel && t >= ready,
                            kept, whole ? 0 : MatrixTile.Size);
                    }
                }

                k += depth;
            }
            while (k < p->K);
        }
    }

    private readonly void MultiplyTile(int tile, int panel, int endPanel, int k, int depth, float* packed, bool pack, float* sum, int sumStride)
    {
        int row = tile * MatrixTile.Rows;
        int rows = Math.Min(MatrixTile.Rows, M - row);
        float* a = A + (row * ARowStride) + (k * AColumnStride);
        nint rowStride = ARowStride, columnStride = AColumnStride;
        if (Patches != null)
        {
            if (pack)
            {
                Patches->Gather(row, rows, k, depth, packed, _depth);
            }

            a = packed;
            rowStride = _depth;
        }
        else if (rows < MatrixTile.Rows || columnStride != 1 || rowStride > MaxRowInPlace)
        {
            // Rows that lie a multiple of the cache's way apart would push each other out; incomplete tiles must be padded.
            if (pack)
            {
                MatrixPacking.Left(a, rowStride, columnStride, rows, depth, packed);
            }

            a = packed;
            rowStride = 1;
            columnStride = MatrixTile.Rows;
        }

        for (; panel < endPanel; panel++, sum += sumStride)
        {
            float* b = _packed + ((((nint)panel * K) + k) * MatrixTile.Columns);
            MatrixTile.Multiply(rows, a, rowStride, columnStride, b, sum, depth, k > 0);
            if (k + depth == K)
            {
                int column = (_firstPanel + panel) * MatrixTile.Columns;
                Epilogue.Store(sum, row, rows, column, Math.Min(MatrixTile.Columns, N - column));
            }
        }
    }
}
