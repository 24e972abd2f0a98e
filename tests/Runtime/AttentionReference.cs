using System.Numerics;

namespace CoGrpo.Tests.Runtime;

/// <summary>
/// Attention and its gradients written straight from the formulas, for one element type: double is the truth, float the plain form that a kernel is
/// measured against.
/// </summary>
internal sealed class AttentionReference<T>
    where T : struct, IFloatingPointIeee754<T>
{
    private readonly int _images, _queries, _keys, _heads, _width;
    private readonly bool _causal;

    public AttentionReference(int images, int queries, int keys, int heads, int width, bool causal)
    {
        (_images, _queries, _keys, _heads, _width, _causal) = (images, queries, keys, heads, width, causal);
        O = new T[images * queries * heads * width];
        LogSumExp = new T[images * heads * queries];
        DQ = new T[O.Length];
        DK = new T[images * keys * heads * width];
        DV = new T[DK.Length];
    }

    public T[] O { get; }

    public T[] LogSumExp { get; }

    public T[] DQ { get; }

    public T[] DK { get; }

    public T[] DV { get; }

    public void Run(T[] q, T[] k, T[] v, T[]? dO = null)
    {
        T scale = T.One / T.Sqrt(T.CreateChecked(_width));
        T[] p = new T[_keys];
        for (int b = 0; b < _images; b++)
        {
            for (int h = 0; h < _heads; h++)
            {
                for (int i = 0; i < _queries; i++)
                {
                    int seen = _causal ? i + 1 : _keys;
                    T top = T.NegativeInfinity;
                    for (int j = 0; j < seen; j++)
                    {
                        p[j] = scale * Dot(q, At(b, _queries, i, h), k, At(b, _keys, j, h));
                        top = T.Max(top, p[j]);
                    }

                    T sum = T.Zero;
                    for (int j = 0; j < seen; j++)
                    {
                        p[j] = T.Exp(p[j] - top);
                        sum += p[j];
                    }

                    LogSumExp[(((b * _heads) + h) * _queries) + i] = top + T.Log(sum);
                    int o = At(b, _queries, i, h);
                    for (int j = 0; j < seen; j++)
                    {
                        p[j] /= sum;
                        for (int d = 0; d < _width; d++)
                        {
                            O[o + d] += p[j] * v[At(b, _keys, j, h) + d];
                        }
                    }

                    if (dO is not null)
                    {
                        Back(q, k, v, dO, p, seen, scale, b, h, i);
                    }
                }
            }
        }
    }

    private void Back(T[] q, T[] k, T[] v, T[] dO, T[] p, int seen, T scale, int b, int h, int i)
    {
        int row = At(b, _queries, i, h);
        T delta = Dot(dO, row, O, row);
        for (int j = 0; j < seen; j++)
        {
            int key = At(b, _keys, j, h);
            T ds = p[j] * (Dot(dO, row, v, key) - delta) * scale;
            for (int d = 0; d < _width; d++)
            {
                DV[key + d] += p[j] * dO[row + d];
                DQ[row + d] += ds * k[key + d];
                DK[key + d] += ds * q[row + d];
            }
        }
    }

    private int At(int b, int rows, int row, int h) => (((b * rows) + row) * _heads * _width) + (h * _width);

    private T Dot(T[] a, int ai, T[] b, int bi)
    {
        T sum = T.Zero;
        for (int d = 0; d < _width; d++)
        {
            sum += a[ai + d] * b[bi + d];
        }

        return sum;
    }
}
