using System.Numerics;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Tests.Runtime.OperationTable;

/// <param name="Aligned">Whether every row of every head can be moved in 16-byte pieces; else none can.</param>
internal readonly record struct AttentionSize(int Queries, int Keys, int Heads, int Width, bool Causal, bool Aligned = false)
{
    public int C => Heads * Width;

    public override string ToString() => $"{Queries}x{Keys}, {Heads} heads of {Width}{(Causal ? " causal" : "")}{(Aligned ? " aligned" : "")}";

    /// <summary>Elements between rows: those that fit the form.</summary>
    public int Padding(int divisor) => Aligned ? 8 : Width % divisor;

    /// <summary>
    /// Calls <paramref name="visit"/> for every query row: its offset in q, the offset of its image in k, its entry of logSumExp, and how many keys
    /// it sees.
    /// </summary>
    public void ForEachRow(int images, Action<int, int, int, int> visit)
    {
        for (int b = 0; b < images; b++)
        {
            for (int h = 0; h < Heads; h++)
            {
                for (int i = 0; i < Queries; i++)
                {
                    visit(
                        (((b * Queries) + i) * C) + (h * Width),
                        (b * Keys * C) + (h * Width),
                        (((b * Heads) + h) * Queries) + i,
                        Causal ? i + 1 : Keys
                    );
                }
            }
        }
    }

    public T Score<T>(T[] q, int qAt, T[] k, int kAt)
        where T : struct, IFloatingPointIeee754<T>
    {
        T sum = T.Zero;
        for (int d = 0; d < Width; d++)
        {
            sum += q[qAt + d] * k[kAt + d];
        }

        return sum / T.Sqrt(T.CreateChecked(Width));
    }

    public void Forward<T>(int images, T[] q, T[] k, T[] v, T[] o, T[] logSumExp)
        where T : struct, IFloatingPointIeee754<T> => Forward(images, q, k, v, o, logSumExp, weight => weight);

    /// <summary>As the other, with the weights of the second product rounded: tensor cores take no wider ones. Their sum is not.</summary>
    public void Forward<T>(int images, T[] q, T[] k, T[] v, T[] o, T[] logSumExp, Func<T, T> rounded)
        where T : struct, IFloatingPointIeee754<T>
    {
        AttentionSize size = this;
        T[] weights = new T[Keys];
        ForEachRow(images, (qAt, kAt, row, seen) =>
        {
            T max = T.NegativeInfinity, sum = T.Zero;
            for (int j = 0; j < seen; j++)
            {
                weights[j] = size.Score(q, qAt, k, kAt + (j * size.C));
                max = T.Max(max, weights[j]);
            }

            for (int j = 0; j < seen; j++)
            {
                weights[j] = T.Exp(weights[j] - max);
                sum += weights[j];
            }

            for (int d = 0; d < size.Width; d++)
            {
                T total = T.Zero;
                for (int j = 0; j < seen; j++)
                {
                    total += rounded(weights[j]) * v[kAt + (j * size.C) + d];
                }

                o[qAt + d] = total / sum;
            }

            logSumExp[row] = max + T.Log(sum);
        });
    }
}

internal sealed class AttentionRow : OperationRow
{
    private readonly AttentionSize _size;

    public AttentionRow(int images, AttentionSize size)
        : base(nameof(IBackend.Attention), images, size.ToString())
    {
        _size = size;
        In("q", new Shape(images, size.Queries, size.C), size.Padding(3));
        In("k", new Shape(images, size.Keys, size.C), size.Padding(4));
        In("v", new Shape(images, size.Keys, size.C), size.Padding(5));
        Out("o", new Shape(images, size.Queries, size.C), size.Padding(3));
        Out("logSumExp", new Shape(images, size.Heads, size.Queries), wide: true);
    }

    public override OperationRow With(int images) => new AttentionRow(images, _size);

    public override void Run(IBackend backend, Tensor[] t) => backend.Attention(t[0], t[1], t[2], t[3], t[4], _size.Heads, _size.Causal);

    public override void Reference<T>(Operands<T> v) => _size.Forward(Images, v[0], v[1], v[2], v[3], v[4]);

    public override void PlainForm(Operands<float> v, ElementType storage) =>
        _size.Forward(Images, v[0], v[1], v[2], v[3], v[4], weight => Rounded(weight, storage));
}

internal sealed class AttentionBackwardRow : OperationRow
{
    private readonly AttentionSize _size;

    public AttentionBackwardRow(int images, AttentionSize size)
        : base(nameof(IBackend.AttentionBackward), images, size.ToString())
    {
        _size = size;
        Shape queries = new(images, size.Queries, size.C), keys = new(images, size.Keys, size.C);
        In("dO", queries, size.Padding(3));
        In("q", queries, size.Padding(4));
        In("k", keys, size.Padding(3));
        In("v", keys, size.Padding(5));
        In("o", queries, size.Padding(3));
        In("logSumExp", new Shape(images, size.Heads, size.Queries), wide: true);
        Out("dq", queries, size.Padding(3));
        Out("dk", keys, size.Padding(4));
        Out("dv", keys, size.Padding(3));
    }

    public override (int At, int Gradient)[] Gradients => [(1, 6), (2, 7), (3, 8)];

    public override OperationRow With(int images) => new AttentionBackwardRow(images, _size);

    public override void Run(IBackend backend, Tensor[] t) =>
        backend.AttentionBackward(t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7], t[8], _size.Heads, _size.Causal);

    public override void Prepare(Operands<double> v) => _size.Forward(Images, v[1], v[2], v[3], v[4], v[5]);

    public override double Loss(Operands<double> v)
    {
        double[] o = new double[v[4].Length];
        _size.Forward(Images, v[1], v[2], v[3], o, new double[v[5].Length]);
        return Dot(v[0], o);
    }

    public override void Reference<T>(Operands<T> v) => Compute(v, weight => weight);

    public override void PlainForm(Operands<float> v, ElementType storage) => Compute(v, weight => Rounded(weight, storage));

    private void Compute<T>(Operands<T> v, Func<T, T> rounded)
        where T : struct, IFloatingPointIeee754<T>
    {
        AttentionSize size = _size;
        (T[] dO, T[] q, T[] k, T[] values, T[] o, T[] lse, T[] dq, T[] dk, T[] dv) = (v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8]);
        Array.Clear(dq);
        Array.Clear(dk);
        Array.Clear(dv);
        T root = T.Sqrt(Of<T>(size.Width));
        size.ForEachRow(Images, (qAt, kAt, row, seen) =>
        {
            T delta = T.Zero;
            for (int d = 0; d < size.Width; d++)
            {
                delta += dO[qAt + d] * o[qAt + d];
            }

            for (int j = 0; j < seen; j++)
            {
                int at = kAt + (j * size.C);
                T p = T.Exp(size.Score(q, qAt, k, at) - lse[row]);
                T pRounded = rounded(p);
                T dp = T.Zero;
                for (int d = 0; d < size.Width; d++)
                {
                    dp += dO[qAt + d] * values[at + d];
                    dv[at + d] += pRounded * dO[qAt + d];
                }

                T ds = rounded(p * (dp - delta)) / root;
                for (int d = 0; d < size.Width; d++)
                {
                    dq[qAt + d] += ds * k[at + d];
                    dk[at + d] += ds * q[qAt + d];
                }
            }
        });
    }
}
