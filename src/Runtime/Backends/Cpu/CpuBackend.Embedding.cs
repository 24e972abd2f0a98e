using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.Embedding"/>
    public void Embedding(Tensor ids, Tensor table, Tensor positions, Tensor y)
    {
        EmbeddingKernel kernel = EmbeddingArguments(ids, table, positions, y);
        RequireIndices(ids, table.Rows, nameof(ids));
        _team.For(y.Rows, &EmbeddingKernel.Forward, &kernel, RowGrain(y.Columns));
    }

    /// <inheritdoc cref="IBackend.EmbeddingBackward"/>
    public void EmbeddingBackward(Tensor dy, Tensor ids, Tensor dtable, Tensor dpositions)
    {
        EmbeddingKernel kernel = EmbeddingArguments(ids, dtable, dpositions, dy);
        if (dy.Rows == 0)
        {
            return;
        }

        if (!dtable.IsNone)
        {
            // Over columns, so that every row of the table adds its tokens in row order whatever the number of workers.
            RequireIndices(ids, dtable.Rows, nameof(ids));
            int chunks = (dy.Columns + EmbeddingKernel.ChunkColumns - 1) / EmbeddingKernel.ChunkColumns;
            _team.For(chunks, &EmbeddingKernel.TableGradient, &kernel, Math.Max(1, ElementGrain / (EmbeddingKernel.ChunkColumns * dy.Rows)));
        }

        if (!dpositions.IsNone)
        {
            _team.For(kernel.Tokens, &EmbeddingKernel.PositionGradient, &kernel, RowGrain(dy.Columns));
        }
    }

    private static EmbeddingKernel EmbeddingArguments(Tensor ids, Tensor table, Tensor positions, Tensor y)
    {
        Require.Contiguous(ids, -1, -1, ElementType.Int32);
        Require.Matrix(y, (int)ids.Shape.Count, -1);
        if (!table.IsNone)
        {
            Require.Matrix(table, -1, y.Columns);
        }

        if (!positions.IsNone)
        {
            Require.Matrix(positions, ids.Columns, y.Columns);
        }

        return new EmbeddingKernel
        {
            Ids = ids.I32,
            Table = table.F32,
            TableStride = table.RowStride,
            Positions = positions.F32,
            PositionsStride = positions.RowStride,
            Y = y.F32,
            YStride = y.RowStride,
            Rows = y.Rows,
            Tokens = ids.Columns,
            Columns = y.Columns,
        };
    }

    private struct EmbeddingKernel
    {
        public const int ChunkColumns = 16;

        public float* Table, Positions, Y;
        public int* Ids;
        public int TableStride, PositionsStride, YStride, Rows, Tokens, Columns;

        public static void Forward(void* state, int start, int end, int worker)
        {
            EmbeddingKernel k = *(EmbeddingKernel*)state;
            for (int row = start; row < end; row++)
            {
                float* y = k.Y + ((nint)row * k.YStride);
                float* table = k.Table + ((nint)k.Ids[row] * k.TableStride);
                if (k.Positions == null)
                {
                    new ReadOnlySpan<float>(table, k.Columns).CopyTo(new Span<float>(y, k.Columns));
                    continue;
                }

                float* position = k.Positions + ((nint)(row % k.Tokens) * k.PositionsStride);
                int c = 0;
                for (; c <= k.Columns - Lanes.Count; c += Lanes.Count)
                {
                    (Vector512.Load(table + c) + Vector512.Load(position + c)).Store(y + c);
                }

                for (; c < k.Columns; c++)
                {
                    y[c] = table[c] + position[c];
                }
            }
        }

        public static void TableGradient(void* state, int start, int end, int worker)
        {
            EmbeddingKernel k = *(EmbeddingKernel*)state;
            int first = start * ChunkColumns;
            int count = Math.Min(k.Columns, end * ChunkColumns) - first;
            for (nint row = 0; row < k.Rows; row++)
            {
                Lanes.AddTo(k.Table + ((nint)k.Ids[row] * k.TableStride) + first, k.Y + (row * k.YStride) + first, count);
            }
        }

        public static void PositionGradient(void* state, int start, int end, int worker)
        {
            EmbeddingKernel k = *(EmbeddingKernel*)state;
            for (int l = start; l < end; l++)
            {
                for (int row = l; row < k.Rows; row += k.Tokens)
                {
                    Lanes.AddTo(k.Positions + ((nint)l * k.PositionsStride), k.Y + ((nint)row * k.YStride), k.Columns);
                }
            }
        }
    }
}
