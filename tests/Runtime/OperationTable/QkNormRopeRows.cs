using System.Numerics;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Tests.Runtime.OperationTable;

internal readonly record struct RopeSize(int Length, int Tokens, int First, int Heads, int Width)
{
    public const float Epsilon = 1e-3f;

    public int C => Heads * Width;

    public override string ToString() => $"{Length} of {Tokens} from {First}, {Heads} heads of {Width}";

    /// <summary>Offsets of head h of token l of image b: in x, in y, in the tables, in rstd.</summary>
    public (int X, int Y, int Angle, int Saved) At(int head)
    {
        int token = head / Heads;
        int row = First + (token % Length);
        return (head * Width, (((token / Length * Tokens) + row) * C) + (head % Heads * Width), row * (Width / 2), head);
    }

    public void Forward<T>(int images, T[] x, T[] weight, T[] cos, T[] sin, T[] y, T[] rstd)
        where T : struct, IFloatingPointIeee754<T>
    {
        for (int head = 0; head < images * Length * Heads; head++)
        {
            (int xAt, int yAt, int angle, int saved) = At(head);
            T square = T.Zero;
            for (int d = 0; d < Width; d++)
            {
                square += x[xAt + d] * x[xAt + d];
            }

            T inverse = T.One / T.Sqrt((square / T.CreateChecked(Width)) + T.CreateChecked(Epsilon));
            rstd[saved] = inverse;
            for (int j = 0; j < Width / 2; j++)
            {
                T a = x[xAt + (2 * j)] * inverse * weight[2 * j], b = x[xAt + (2 * j) + 1] * inverse * weight[(2 * j) + 1];
                y[yAt + (2 * j)] = (a * cos[angle + j]) - (b * sin[angle + j]);
                y[yAt + (2 * j) + 1] = (a * sin[angle + j]) + (b * cos[angle + j]);
            }
        }
    }
}

internal sealed class QkNormRopeRow : OperationRow
{
    private readonly RopeSize _size;

    public QkNormRopeRow(int images, RopeSize size)
        : base(nameof(IBackend.QkNormRope), images, size.ToString())
    {
        _size = size;
        In("x", new Shape(images, size.Length, size.C), Padding(size.C, 3));
        In("weight", new Shape(size.Width), shared: true);
        In("cos", new Shape(size.Tokens, size.Width / 2), shared: true, wide: true, draw: (_, i) => Math.Cos(0.37 * i));
        In("sin", new Shape(size.Tokens, size.Width / 2), shared: true, wide: true, draw: (_, i) => Math.Sin(0.37 * i));
        InOut("y", new Shape(images, size.Tokens, size.C), Padding(size.C, 4));
        Out("rstd", new Shape(images * size.Length, size.Heads), wide: true);
    }

    public override OperationRow With(int images) => new QkNormRopeRow(images, _size);

    public override void Run(IBackend backend, Tensor[] t) =>
        backend.QkNormRope(t[0], t[1], t[2], t[3], t[4], _size.First, t[5], _size.Heads, RopeSize.Epsilon);

    public override void Reference<T>(Operands<T> v) => _size.Forward(Images, v[0], v[1], v[2], v[3], v[4], v[5]);
}

internal sealed class QkNormRopeBackwardRow : OperationRow
{
    private readonly (RopeSize Size, bool Weight) _case;

    public QkNormRopeBackwardRow(int images, RopeSize size, bool weight = true)
        : base(nameof(IBackend.QkNormRopeBackward), images, $"{size}{(weight ? "" : " dx only")}")
    {
        _case = (size, weight);
        In("dy", new Shape(images, size.Tokens, size.C), Padding(size.C, 3));
        In("x", new Shape(images, size.Length, size.C), Padding(size.C, 4));
        In("weight", new Shape(size.Width), shared: true);
        In("cos", new Shape(size.Tokens, size.Width / 2), shared: true, wide: true, draw: (_, i) => Math.Cos(0.37 * i));
        In("sin", new Shape(size.Tokens, size.Width / 2), shared: true, wide: true, draw: (_, i) => Math.Sin(0.37 * i));
        In("rstd", new Shape(images * size.Length, size.Heads), wide: true);
        Out("dx", new Shape(images, size.Length, size.C), Padding(size.C, 5));
        if (weight)
        {
            InOut("dweight", new Shape(size.Width), shared: true, wide: true);
        }
    }

    public override (int At, int Gradient)[] Gradients => _case.Weight ? [(1, 6), (2, 7)] : [(1, 6)];

    public override OperationRow With(int images) => new QkNormRopeBackwardRow(images, _case.Size, _case.Weight);

    public override void Run(IBackend backend, Tensor[] t) =>
        backend.QkNormRopeBackward(t[0], t[1], t[2], t[3], t[4], t[5], _case.Size.First, t[6], _case.Weight ? t[7] : default, _case.Size.Heads);

    public override void Prepare(Operands<double> v) => _case.Size.Forward(Images, v[1], v[2], v[3], v[4], new double[v[0].Length], v[5]);

    public override double Loss(Operands<double> v)
    {
        double[] y = new double[v[0].Length];
        _case.Size.Forward(Images, v[1], v[2], v[3], v[4], y, new double[v[5].Length]);
        return Dot(v[0], y);
    }

    public override void Reference<T>(Operands<T> v)
    {
        RopeSize size = _case.Size;
        T[] dn = new T[size.Width];
        for (int head = 0; head < Images * size.Length * size.Heads; head++)
        {
            (int xAt, int yAt, int angle, int saved) = size.At(head);
            T inverse = v[5][saved], product = T.Zero;
            for (int j = 0; j < size.Width / 2; j++)
            {
                (T a, T b, T cos, T sin) = (v[0][yAt + (2 * j)], v[0][yAt + (2 * j) + 1], v[3][angle + j], v[4][angle + j]);
                (dn[2 * j], dn[(2 * j) + 1]) = ((a * cos) + (b * sin), (b * cos) - (a * sin));
            }

            for (int d = 0; d < size.Width; d++)
            {
                product += dn[d] * v[2][d] * v[1][xAt + d] * inverse;
            }

            for (int d = 0; d < size.Width; d++)
            {
                T normalized = v[1][xAt + d] * inverse;
                v[6][xAt + d] = inverse * ((dn[d] * v[2][d]) - (normalized * (product / Of<T>(size.Width))));
                if (_case.Weight)
                {
                    v[7][d] += dn[d] * normalized;
                }
            }
        }
    }
}
