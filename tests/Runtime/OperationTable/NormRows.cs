using System.Numerics;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Tests.Runtime.OperationTable;

internal enum Norm
{
    Ada,
    Layer,
    Rms,
}

/// <summary>The formulas of the three norms: AdaLn is LayerNorm with weight 1 + scale and one weight and bias per image.</summary>
internal static class NormFormula
{
    public const float Epsilon = 1e-3f;

    public static int WeightAt(Norm norm, int row, int tokens, int c) => norm == Norm.Ada ? row / tokens * c : 0;

    public static int Saved(Norm norm) => norm == Norm.Rms ? 1 : 2;

    public static T Weight<T>(Norm norm, T w)
        where T : IFloatingPointIeee754<T> => norm == Norm.Ada ? T.One + w : w;

    public static void Forward<T>(Norm norm, T[] x, T[] weight, T[] bias, T[] y, T[] stats, int tokens, int c)
        where T : struct, IFloatingPointIeee754<T>
    {
        for (int row = 0; row < x.Length / c; row++)
        {
            Span<T> values = x.AsSpan(row * c, c);
            T mean = T.Zero, square = T.Zero;
            foreach (T value in values)
            {
                mean += norm == Norm.Rms ? T.Zero : value;
            }

            mean /= T.CreateChecked(c);
            foreach (T value in values)
            {
                square += (value - mean) * (value - mean);
            }

            T inverse = T.One / T.Sqrt((square / T.CreateChecked(c)) + T.CreateChecked(Epsilon));
            int at = WeightAt(norm, row, tokens, c);
            for (int i = 0; i < c; i++)
            {
                y[(row * c) + i] = ((values[i] - mean) * inverse * Weight(norm, weight[at + i])) + (norm == Norm.Rms ? T.Zero : bias[at + i]);
            }

            if (norm == Norm.Rms)
            {
                stats[row] = inverse;
            }
            else
            {
                (stats[2 * row], stats[(2 * row) + 1]) = (mean, inverse);
            }
        }
    }
}

internal sealed class NormRow : OperationRow
{
    private readonly (Norm Norm, int Tokens, int C) _size;

    public NormRow(Norm norm, int images, int tokens, int c)
        : base(
            norm switch
            {
                Norm.Ada => nameof(IBackend.AdaLn),
                Norm.Layer => nameof(IBackend.LayerNorm),
                _ => nameof(IBackend.RmsNorm),
            },
            images,
            $"{tokens}x{c}"
        )
    {
        _size = (norm, tokens, c);
        bool shared = norm != Norm.Ada;
        Shape vector = shared ? new Shape(c) : new Shape(images, c);
        In("x", new Shape(images, tokens, c), Padding(c, 4), draw: (r, i) => (2 * Normal(r, i)) + 0.5);
        In("weight", vector, shared ? 0 : Padding(c, 5), shared);
        In("bias", vector, shared ? 0 : Padding(c, 3), shared);
        Out("y", new Shape(images, tokens, c), Padding(c, 3));
        Out("stats", NormFormula.Saved(norm) == 1 ? new Shape(images * tokens) : new Shape(images * tokens, 2), wide: true);
    }

    public override OperationRow With(int images) => new NormRow(_size.Norm, images, _size.Tokens, _size.C);

    public override void Run(IBackend backend, Tensor[] t)
    {
        switch (_size.Norm)
        {
            case Norm.Ada:
                backend.AdaLn(t[0], t[2], t[1], t[3], t[4], NormFormula.Epsilon);
                break;
            case Norm.Layer:
                backend.LayerNorm(t[0], t[1], t[2], t[3], t[4], NormFormula.Epsilon);
                break;
            default:
                backend.RmsNorm(t[0], t[1], t[3], t[4], NormFormula.Epsilon);
                break;
        }
    }

    public override void Reference<T>(Operands<T> v) => NormFormula.Forward(_size.Norm, v[0], v[1], v[2], v[3], v[4], _size.Tokens, _size.C);
}

internal sealed class NormBackwardRow : OperationRow
{
    private readonly (Norm Norm, int Tokens, int C, bool Accumulate, bool Weights) _size;

    public NormBackwardRow(Norm norm, int images, int tokens, int c, bool accumulate, bool weights = true)
        : base(
            norm switch
            {
                Norm.Ada => nameof(IBackend.AdaLnBackward),
                Norm.Layer => nameof(IBackend.LayerNormBackward),
                _ => nameof(IBackend.RmsNormBackward),
            },
            images,
            $"{tokens}x{c}{(accumulate ? " accumulate" : "")}{(weights ? "" : " dx only")}"
        )
    {
        _size = (norm, tokens, c, accumulate, weights);
        bool shared = norm != Norm.Ada;
        Shape vector = shared ? new Shape(c) : new Shape(images, c);
        In("dy", new Shape(images, tokens, c), Padding(c, 3));
        In("x", new Shape(images, tokens, c), Padding(c, 4), draw: (r, i) => (2 * Normal(r, i)) + 0.5);
        In("weight", vector, shared ? 0 : Padding(c, 5), shared);
        In("stats", NormFormula.Saved(norm) == 1 ? new Shape(images * tokens) : new Shape(images * tokens, 2), wide: true);
        Result("dx", new Shape(images, tokens, c), accumulate, Padding(c, 5));
        if (weights)
        {
            InOut("dweight", vector, shared ? 0 : Padding(c, 4), shared, wide: true);
            InOut("dbias", vector, shared ? 0 : Padding(c, 3), shared, wide: true);
        }

        Hidden("bias", vector, shared);
    }

    public override (int At, int Gradient)[] Gradients =>
        !_size.Weights ? [(1, 4)]
        : _size.Norm == Norm.Rms ? [(1, 4), (2, 5)]
        : [(1, 4), (2, 5), (7, 6)];

    public override OperationRow With(int images) => new NormBackwardRow(_size.Norm, images, _size.Tokens, _size.C, _size.Accumulate, _size.Weights);

    public override void Run(IBackend backend, Tensor[] t)
    {
        (Tensor dweight, Tensor dbias) = _size.Weights ? (t[5], t[6]) : default;
        switch (_size.Norm)
        {
            case Norm.Ada:
                backend.AdaLnBackward(t[0], t[1], t[2], t[3], t[4], _size.Accumulate, dbias, dweight);
                break;
            case Norm.Layer:
                backend.LayerNormBackward(t[0], t[1], t[2], t[3], t[4], _size.Accumulate, dweight, dbias);
                break;
            default:
                backend.RmsNormBackward(t[0], t[1], t[2], t[3], t[4], _size.Accumulate, dweight);
                break;
        }
    }

    public override void Prepare(Operands<double> v) => Forward(v, v[3]);

    public override double Loss(Operands<double> v) => Dot(v[0], Forward(v, new double[v[3].Length]));

    public override void Reference<T>(Operands<T> v)
    {
        (Norm norm, int tokens, int c, bool accumulate, bool weights) = _size;
        for (int row = 0; row < v[1].Length / c; row++)
        {
            T mean = norm == Norm.Rms ? T.Zero : v[3][2 * row];
            T inverse = norm == Norm.Rms ? v[3][row] : v[3][(2 * row) + 1];
            int at = NormFormula.WeightAt(norm, row, tokens, c);
            T sum = T.Zero, product = T.Zero;
            for (int i = 0; i < c; i++)
            {
                T g = v[0][(row * c) + i] * NormFormula.Weight(norm, v[2][at + i]);
                sum += norm == Norm.Rms ? T.Zero : g;
                product += g * (v[1][(row * c) + i] - mean) * inverse;
            }

            for (int i = 0; i < c; i++)
            {
                T dy = v[0][(row * c) + i];
                T normalized = (v[1][(row * c) + i] - mean) * inverse;
                T g = dy * NormFormula.Weight(norm, v[2][at + i]);
                T dx = inverse * (g - (sum / Of<T>(c)) - (normalized * (product / Of<T>(c))));
                v[4][(row * c) + i] = accumulate ? v[4][(row * c) + i] + dx : dx;
                if (weights)
                {
                    v[5][at + i] += dy * normalized;
                    v[6][at + i] += norm == Norm.Rms ? T.Zero : dy;
                }
            }
        }
    }

    private double[] Forward(Operands<double> v, double[] stats)
    {
        double[] y = new double[v[1].Length];
        NormFormula.Forward(_size.Norm, v[1], v[2], v[_size.Weights ? 7 : 5], y, stats, _size.Tokens, _size.C);
        return y;
    }
}
