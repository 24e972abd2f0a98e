using System.Numerics;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Tests.Runtime.OperationTable;

/// <summary>A 3x3 convolution: sizes of the input, outputs per pixel, and how its operands lie.</summary>
internal readonly record struct Conv3x3Size(int H, int W, int C, int O, ConvForm Form, bool Residual = false, bool Aligned = false, bool Wide = false)
{
    public int OutH => Form switch { ConvForm.Halved => H / 2, ConvForm.Doubled => 2 * H, _ => H };

    public int OutW => Form switch { ConvForm.Halved => W / 2, ConvForm.Doubled => 2 * W, _ => W };

    /// <summary>The pixel of the input that tap 0 to 2 of an output sees in one direction, -1 outside.</summary>
    public int Pixel(int output, int tap, int size)
    {
        int at = Form == ConvForm.Halved ? (2 * output) + tap : output + tap - 1;
        int limit = Form == ConvForm.Doubled ? 2 * size : size;
        return at < 0 || at >= limit ? -1 : Form == ConvForm.Doubled ? at / 2 : at;
    }

    public override string ToString() =>
        $"{H}x{W}x{C} to {O} {Form}{(Residual ? " residual" : "")}{(Aligned ? " aligned" : "")}{(Wide ? " wide" : "")}";
}

internal sealed class Conv3x3Row : OperationRow
{
    private readonly Conv3x3Size _size;

    public Conv3x3Row(int images, Conv3x3Size size)
        : base(nameof(IBackend.Conv3x3), images, size.ToString())
    {
        _size = size;
        Shape output = new(images, size.OutH, size.OutW, size.O);
        In("x", new Shape(images, size.H, size.W, size.C), size.Aligned ? 8 : size.C % 4);
        In("weight", new Shape(size.O, 3, 3, size.C), shared: true);
        In("bias", new Shape(size.O), shared: true);
        In("residual", output, size.Aligned ? 8 : 3);
        Out("y", output, size.Aligned ? 8 : 3, wide: size.Wide);
    }

    public override (int Input, int Output)[] Aliases => _size.Residual && !_size.Wide ? [(3, 4)] : [];

    public override OperationRow With(int images) => new Conv3x3Row(images, _size);

    public override void Run(IBackend backend, Tensor[] t) => backend.Conv3x3(t[0], t[1], t[2], t[4], _size.Form, _size.Residual ? t[3] : default);

    public override void Reference<T>(Operands<T> v) => Compute(v, branch => branch);

    /// <summary>
    /// Where the map is enlarged, the weights of taps that fall on one pixel are added and rounded to the storage first, as the contract says. A
    /// branch of a residual stream is rounded as if it had been stored.
    /// </summary>
    public override void PlainForm(Operands<float> v, ElementType storage)
    {
        float Branch(float sum) => _size.Residual && !_size.Wide ? Rounded(sum, storage) : sum;
        if (_size.Form != ConvForm.Doubled)
        {
            Compute(v, Branch);
            return;
        }

        for (int y = 0; y < v[4].Length; y++)
        {
            (int o, int column, int row, int b) = Place(y);
            float sum = 0;
            for (int place = 0; place < 4; place++)
            {
                // Pixels -1 and 0 from an even output's own, 0 and 1 from an odd one's.
                (int i, int j) = ((row / 2) + (row % 2) - 1 + (place / 2), (column / 2) + (column % 2) - 1 + (place % 2));
                int[] taps = [.. Enumerable.Range(0, 9).Where(tap => Falls(tap / 3, place / 2, row % 2) && Falls(tap % 3, place % 2, column % 2))];
                for (int c = 0; c < _size.C && i >= 0 && i < _size.H && j >= 0 && j < _size.W; c++)
                {
                    sum +=
                        v[0][(((((b * _size.H) + i) * _size.W) + j) * _size.C) + c]
                        * Rounded(taps.Sum(tap => v[1][(((o * 9) + tap) * _size.C) + c]), storage);
                }
            }

            v[4][y] = Branch(sum + v[2][o]) + (_size.Residual ? v[3][y] : 0);
        }
    }

    private static bool Falls(int tap, int place, int parity) => place == 0 ? tap <= parity : tap > parity;

    private (int Output, int Column, int Row, int Image) Place(int y) =>
        (y % _size.O, y / _size.O % _size.OutW, y / _size.O / _size.OutW % _size.OutH, y / _size.O / _size.OutW / _size.OutH);

    private void Compute<T>(Operands<T> v, Func<T, T> rounded)
        where T : struct, IFloatingPointIeee754<T>
    {
        for (int y = 0; y < v[4].Length; y++)
        {
            (int o, int column, int row, int b) = Place(y);
            T sum = T.Zero;
            for (int tap = 0; tap < 9; tap++)
            {
                (int i, int j) = (_size.Pixel(row, tap / 3, _size.H), _size.Pixel(column, tap % 3, _size.W));
                for (int c = 0; c < _size.C && i >= 0 && j >= 0; c++)
                {
                    sum += v[0][(((((b * _size.H) + i) * _size.W) + j) * _size.C) + c] * v[1][(((o * 9) + tap) * _size.C) + c];
                }
            }

            v[4][y] = rounded(sum + v[2][o]) + (_size.Residual ? v[3][y] : T.Zero);
        }
    }
}

internal sealed class GroupNormRow : OperationRow
{
    private const float Epsilon = 1e-3f;

    private readonly (int H, int W, int C, int Groups, Activation Activation, bool Aligned) _size;

    public GroupNormRow(int images, int h, int w, int c, int groups, Activation activation, bool aligned = false)
        : base(nameof(IBackend.GroupNorm), images, $"{h}x{w}x{c} in {groups} groups {activation}{(aligned ? " aligned" : "")}")
    {
        _size = (h, w, c, groups, activation, aligned);
        Shape map = new(images, h, w, c);

        // Far from zero, so that a variance taken as a difference of means would show.
        In("x", map, aligned ? 8 : c % 4, draw: (r, i) => (2 * Normal(r, i)) + (i % c) - 3);
        In("weight", new Shape(c), shared: true);
        In("bias", new Shape(c), shared: true);
        Out("y", map, aligned ? 8 : c % 4);
    }

    public override (int Input, int Output)[] Aliases => [(0, 3)];

    public override OperationRow With(int images) =>
        new GroupNormRow(images, _size.H, _size.W, _size.C, _size.Groups, _size.Activation, _size.Aligned);

    public override void Run(IBackend backend, Tensor[] t) => backend.GroupNorm(t[0], t[1], t[2], t[3], _size.Groups, Epsilon, _size.Activation);

    public override void Reference<T>(Operands<T> v)
    {
        (int h, int w, int c, int groups, Activation activation, _) = _size;
        int each = c / groups;
        for (int group = 0; group < Images * groups; group++)
        {
            int[] members =
            [
                .. Enumerable
                    .Range(0, h * w * each)
                    .Select(i => ((((group / groups * h * w) + (i / each)) * c) + (group % groups * each)) + (i % each)),
            ];
            T mean = T.Zero,
                square = T.Zero;
            foreach (int at in members)
            {
                mean += v[0][at];
            }

            mean /= Of<T>(members.Length);
            foreach (int at in members)
            {
                square += (v[0][at] - mean) * (v[0][at] - mean);
            }

            T inverse = T.One / T.Sqrt((square / Of<T>(members.Length)) + Of<T>(Epsilon));
            foreach (int at in members)
            {
                v[3][at] = ActivationFormula.Value(activation, ((v[0][at] - mean) * inverse * v[1][at % c]) + v[2][at % c]);
            }
        }
    }
}

internal sealed class NearestCodeRow : OperationRow
{
    private readonly (int Vectors, int Codes, int D, bool Aligned) _size;

    public NearestCodeRow(int images, int vectors, int codes, int d, bool aligned = false)
        : base(nameof(IBackend.NearestCode), images, $"{vectors} of {codes}x{d}{(aligned ? " aligned" : "")}", wide: true)
    {
        _size = (vectors, codes, d, aligned);
        In("x", new Shape(images * vectors, d), aligned ? 8 : 1);

        // The second half of the codes repeats the first: every nearest distance is there twice.
        int half = ((codes + 1) / 2) * d;
        List<double> drawn = [];
        In("codebook", new Shape(codes, d), aligned ? 8 : 3, shared: true, draw: (r, i) =>
        {
            drawn = i == 0 ? [] : drawn;
            drawn.Add(i < half ? Normal(r, i) : drawn[i - half]);
            return drawn[i];
        });
        Integers("codes", new Shape(images * vectors), (_, _) => -1, role: Role.Out);
    }

    public override OperationRow With(int images) => new NearestCodeRow(images, _size.Vectors, _size.Codes, _size.D, _size.Aligned);

    public override void Run(IBackend backend, Tensor[] t) => backend.NearestCode(t[0], t[1], t[2]);

    public override void Reference<T>(Operands<T> v)
    {
        (int vectors, int codes, int d, _) = _size;
        for (int m = 0; m < Images * vectors; m++)
        {
            T least = T.PositiveInfinity;
            for (int code = 0; code < codes; code++)
            {
                T distance = T.Zero;
                for (int i = 0; i < d; i++)
                {
                    T difference = v[0][(m * d) + i] - v[1][(code * d) + i];
                    distance += difference * difference;
                }

                if (distance < least)
                {
                    (least, v.Integers(2)[m]) = (distance, code);
                }
            }
        }
    }
}
