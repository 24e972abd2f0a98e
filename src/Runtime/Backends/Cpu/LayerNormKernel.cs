using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>
/// Layer norm followed by an affine map whose vectors may differ from group to group of rows: y = LN(x) ⊙ (offset + multiplier) + addend.
/// With offset 1 and a group per image it is AdaLN's modulate, with offset 0 and one group the ordinary layer norm.
/// </summary>
internal unsafe struct LayerNormKernel
{
    /// <summary>Input rows.</summary>
    public float* X;

    /// <summary>Output rows of the forward, gradient of them in the backward pass.</summary>
    public float* Y;

    /// <summary>Multiplier vectors, one row per group.</summary>
    public float* Multiplier;

    /// <summary>Addend vectors, one row per group; forward only.</summary>
    public float* Addend;

    /// <summary>[rows,2]: mean and 1/std, written by the forward and read by the backward pass.</summary>
    public float* Stats;

    /// <summary>Gradient of the input; backward only.</summary>
    public float* Dx;

    /// <summary>[groups,blocks,2,columns]: per block of rows the sums of dy and of dy ⊙ LN(x), or null when nobody wants them.</summary>
    public float* Partials;

    /// <summary>Distances between rows.</summary>
    public int XStride, YStride, MultiplierStride, AddendStride, DxStride;

    /// <summary>Row length and rows that share a multiplier.</summary>
    public int Columns, RowsPerGroup;

    /// <summary>Added to the multiplier, and to the variance.</summary>
    public float Offset, Epsilon;

    /// <summary>Whether Dx is added to.</summary>
    public bool Accumulate;

    /// <summary>Loop body over rows.</summary>
    public static void Forward(void* state, int start, int end, int worker)
    {
        LayerNormKernel k = *(LayerNormKernel*)state;
        int columns = k.Columns;
        Vector512<float> offset = Vector512.Create(k.Offset);
        for (int row = start; row < end; row++)
        {
            float* x = k.X + ((nint)row * k.XStride);
            float* y = k.Y + ((nint)row * k.YStride);
            nint group = row / k.RowsPerGroup;
            float* multiplier = k.Multiplier + (group * k.MultiplierStride);
            float* addend = k.Addend + (group * k.AddendStride);

            // Centring before squaring: the difference of two large sums would lose the variance of rows far from zero.
            float mean = Lanes.RowSum(x, columns) / columns;
            float rstd = 1f / MathF.Sqrt((Lanes.RowSumOfSquares(x, columns, mean) / columns) + k.Epsilon);
            k.Stats[2 * (nint)row] = mean;
            k.Stats[(2 * (nint)row) + 1] = rstd;
            Vector512<float> m = Vector512.Create(mean);
            Vector512<float> r = Vector512.Create(rstd);
            int c = 0;
            for (; c <= columns - Lanes.Count; c += Lanes.Count)
            {
                Vector512<float> normal = (Vector512.Load(x + c) - m) * r;
                Vector512.FusedMultiplyAdd(normal, offset + Vector512.Load(multiplier + c), Vector512.Load(addend + c)).Store(y + c);
            }

            if (c < columns)
            {
                int left = columns - c;
                Vector512<float> normal = (Lanes.LoadTail(x + c, left) - m) * r;
                Lanes.StoreTail(
                    Vector512.FusedMultiplyAdd(normal, offset + Lanes.LoadTail(multiplier + c, left), Lanes.LoadTail(addend + c, left)), y + c, left);
            }
        }
    }

    /// <summary>Loop body over blocks of <see cref="ColumnSums.BlockRows"/> rows of a group.</summary>
    public static void Backward(void* state, int start, int end, int worker)
    {
        LayerNormKernel k = *(LayerNormKernel*)state;
        int blocks = ColumnSums.Blocks(k.RowsPerGroup);
        for (int item = start; item < end; item++)
        {
            int group = item / blocks;
            int first = item % blocks * ColumnSums.BlockRows;
            int last = Math.Min(k.RowsPerGroup, first + ColumnSums.BlockRows);
            float* sums = null;
            if (k.Partials != null)
            {
                sums = k.Partials + ((nint)item * 2 * k.Columns);
                new Span<float>(sums, 2 * k.Columns).Clear();
            }

            for (int row = first; row < last; row++)
            {
                BackwardRow(k, (group * k.RowsPerGroup) + row, k.Multiplier + ((nint)group * k.MultiplierStride), sums);
            }
        }
    }

    /// <summary>dx = rstd (g - mean(g) - LN(x) mean(g ⊙ LN(x))) with g = dy ⊙ (offset + multiplier).</summary>
    private static void BackwardRow(in LayerNormKernel k, int row, float* multiplier, float* sums)
    {
        int columns = k.Columns;
        float* x = k.X + ((nint)row * k.XStride);
        float* dy = k.Y + ((nint)row * k.YStride);
        float* dx = k.Dx + ((nint)row * k.DxStride);
        Vector512<float> offset = Vector512.Create(k.Offset);
        Vector512<float> mean = Vector512.Create(k.Stats[2 * (nint)row]);
        Vector512<float> rstd = Vector512.Create(k.Stats[(2 * (nint)row) + 1]);
        Vector512<float> sumG = Vector512<float>.Zero;
        Vector512<float> sumGx = Vector512<float>.Zero;
        int c = 0;
        for (; c <= columns - Lanes.Count; c += Lanes.Count)
        {
            Vector512<float> d = Vector512.Load(dy + c);
            Vector512<float> normal = (Vector512.Load(x + c) - mean) * rstd;
            Vector512<float> g = d * (offset + Vector512.Load(multiplier + c));
            sumG += g;
            sumGx = Vector512.FusedMultiplyAdd(g, normal, sumGx);
            if (sums != null)
            {
                (Vector512.Load(sums + c) + d).Store(sums + c);
                Vector512.FusedMultiplyAdd(d, normal, Vector512.Load(sums + columns + c)).Store(sums + columns + c);
            }
        }

        if (c < columns)
        {
            // Lanes beyond the row have dy = 0 and so add nothing, whatever LN(x) is there.
            int left = columns - c;
            Vector512<float> d = Lanes.LoadTail(dy + c, left);
            Vector512<float> normal = (Lanes.LoadTail(x + c, left) - mean) * rstd;
            Vector512<float> g = d * (offset + Lanes.LoadTail(multiplier + c, left));
            sumG += g;
            sumGx = Vector512.FusedMultiplyAdd(g, normal, sumGx);
            if (sums != null)
            {
                Lanes.StoreTail(Lanes.LoadTail(sums + c, left) + d, sums + c, left);
                Lanes.StoreTail(Vector512.FusedMultiplyAdd(d, normal, Lanes.LoadTail(sums + columns + c, left)), sums + columns + c, left);
            }
        }

        Vector512<float> meanG = Vector512.Create(Lanes.Sum(sumG) / columns);
        Vector512<float> meanGx = Vector512.Create(Lanes.Sum(sumGx) / columns);
        bool accumulate = k.Accumulate;
        for (c = 0; c <= columns - Lanes.Count; c += Lanes.Count)
        {
            Vector512<float> normal = (Vector512.Load(x + c) - mean) * rstd;
            Vector512<float> g = Vector512.Load(dy + c) * (offset + Vector512.Load(multiplier + c));
            Vector512<float> result = rstd * Vector512.FusedMultiplyAdd(-normal, meanGx, g - meanG);
            (accumulate ? Vector512.Load(dx + c) + result : result).Store(dx + c);
        }

        if (c < columns)
        {
            int left = columns - c;
            Vector512<float> normal = (Lanes.LoadTail(x + c, left) - mean) * rstd;
            Vector512<float> g = Lanes.LoadTail(dy + c, left) * (offset + Lanes.LoadTail(multiplier + c, left));
            Vector512<float> result = rstd * Vector512.FusedMultiplyAdd(-normal, meanGx, g - meanG);
            Lanes.StoreTail(accumulate ? Lanes.LoadTail(dx + c, left) + result : result, dx + c, left);
        }
    }
}
