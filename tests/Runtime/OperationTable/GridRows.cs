using System.Numerics;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Tests.Runtime.OperationTable;

internal sealed class SpaceDepthRow : OperationRow
{
    private readonly (bool ToDepth, int H, int W, int C) _size;

    public SpaceDepthRow(bool toDepth, int images, int h, int w, int c)
        : base(toDepth ? nameof(IBackend.SpaceToDepth) : nameof(IBackend.DepthToSpace), images, $"{2 * h}x{2 * w}x{c}")
    {
        _size = (toDepth, h, w, c);
        Shape space = new(images, 2 * h, 2 * w, c), depth = new(images, h, w, 4 * c);
        In("x", toDepth ? space : depth);
        Out("y", toDepth ? depth : space);
    }

    public override OperationRow With(int images) => new SpaceDepthRow(_size.ToDepth, images, _size.H, _size.W, _size.C);

    public override void Run(IBackend backend, Tensor[] t)
    {
        if (_size.ToDepth)
        {
            backend.SpaceToDepth(t[0], t[1]);
        }
        else
        {
            backend.DepthToSpace(t[0], t[1]);
        }
    }

    public override void Reference<T>(Operands<T> v)
    {
        (bool toDepth, int h, int w, int c) = _size;
        for (int deep = 0; deep < v[0].Length; deep++)
        {
            int channel = deep % (4 * c), cell = deep / (4 * c);
            int row = (2 * (cell / w)) + (channel % 4 / 2), column = (2 * (cell % w)) + (channel % 2);
            int flat = (((row * 2 * w) + column) * c) + (channel / 4);
            v[1][toDepth ? deep : flat] = v[0][toDepth ? flat : deep];
        }
    }
}

internal readonly record struct ConvSize(int H, int W, int C)
{
    public int OutH => (H + 1) / 2;

    public int OutW => (W + 1) / 2;

    /// <summary>Calls <paramref name="visit"/> for every product: offsets in x, weight and y, and the channel.</summary>
    public void ForEachTap(int images, Action<int, int, int> visit)
    {
        for (int at = 0; at < images * OutH * OutW * C; at++)
        {
            (int c, int column, int row, int b) = (at % C, at / C % OutW, at / C / OutW % OutH, at / C / OutW / OutH);
            for (int tap = 0; tap < 9; tap++)
            {
                (int i, int j) = ((2 * row) + (tap / 3) - 1, (2 * column) + (tap % 3) - 1);
                if (i >= 0 && i < H && j >= 0 && j < W)
                {
                    visit((((((b * H) + i) * W) + j) * C) + c, (c * 9) + tap, at);
                }
            }
        }
    }
}

internal sealed class DepthwiseConvRow : OperationRow
{
    private readonly ConvSize _size;

    public DepthwiseConvRow(int images, ConvSize size)
        : base(nameof(IBackend.DepthwiseConv), images, $"{size.H}x{size.W}x{size.C}")
    {
        _size = size;
        In("x", new Shape(images, size.H, size.W, size.C));
        In("weight", new Shape(size.C, 1, 3, 3), shared: true);
        In("bias", new Shape(size.C), shared: true);
        Out("y", new Shape(images, size.OutH, size.OutW, size.C));
    }

    public override OperationRow With(int images) => new DepthwiseConvRow(images, _size);

    public override void Run(IBackend backend, Tensor[] t) => backend.DepthwiseConv(t[0], t[1], t[2], t[3]);

    public override void Reference<T>(Operands<T> v)
    {
        for (int i = 0; i < v[3].Length; i++)
        {
            v[3][i] = v[2][i % _size.C];
        }

        _size.ForEachTap(Images, (x, w, y) => v[3][y] += v[0][x] * v[1][w]);
    }
}

internal sealed class DepthwiseConvBackwardRow : OperationRow
{
    private readonly (ConvSize Size, bool Input) _case;

    public DepthwiseConvBackwardRow(int images, ConvSize size, bool input)
        : base(nameof(IBackend.DepthwiseConvBackward), images, $"{size.H}x{size.W}x{size.C}{(input ? "" : " weights only")}")
    {
        _case = (size, input);
        In("dy", new Shape(images, size.OutH, size.OutW, size.C));
        In("x", new Shape(images, size.H, size.W, size.C));
        In("weight", new Shape(size.C, 1, 3, 3), shared: true);
        InOut("dweight", new Shape(size.C, 1, 3, 3), shared: true, wide: true);
        InOut("dbias", new Shape(size.C), shared: true, wide: true);
        Hidden("bias", new Shape(size.C), shared: true);
        if (input)
        {
            Out("dx", new Shape(images, size.H, size.W, size.C));
        }
    }

    public override (int At, int Gradient)[] Gradients => _case.Input ? [(1, 6), (2, 3), (5, 4)] : [(2, 3), (5, 4)];

    public override OperationRow With(int images) => new DepthwiseConvBackwardRow(images, _case.Size, _case.Input);

    public override void Run(IBackend backend, Tensor[] t) =>
        backend.DepthwiseConvBackward(t[0], t[1], t[2], _case.Input ? t[6] : default, t[3], t[4]);

    public override double Loss(Operands<double> v)
    {
        double sum = 0;
        for (int i = 0; i < v[0].Length; i++)
        {
            sum += v[0][i] * v[5][i % _case.Size.C];
        }

        _case.Size.ForEachTap(Images, (x, w, y) => sum += v[0][y] * v[1][x] * v[2][w]);
        return sum;
    }

    public override void Reference<T>(Operands<T> v)
    {
        if (_case.Input)
        {
            Array.Clear(v[6]);
        }

        for (int i = 0; i < v[0].Length; i++)
        {
            v[4][i % _case.Size.C] += v[0][i];
        }

        _case.Size.ForEachTap(Images, (x, w, y) =>
        {
            v[3][w] += v[0][y] * v[1][x];
            if (_case.Input)
            {
                v[6][x] += v[0][y] * v[2][w];
            }
        });
    }
}

/// <summary>AreaMean and its gradient; blocks of blockH x blockW cells.</summary>
internal sealed class AreaMeanRow : OperationRow
{
    private readonly (bool Backward, int H, int W, int BlockH, int BlockW, int C) _size;

    public AreaMeanRow(bool backward, int images, int h, int w, int blockH, int blockW, int c)
        : base(backward ? nameof(IBackend.AreaMeanBackward) : nameof(IBackend.AreaMean), images, $"{h}x{w} blocks of {blockH}x{blockW}, {c} channels")
    {
        _size = (backward, h, w, blockH, blockW, c);
        Shape large = new(images, h * blockH, w * blockW, c), small = new(images, h, w, c);
        In(backward ? "dy" : "x", backward ? small : large);
        Out(backward ? "dx" : "y", backward ? large : small);
        if (backward)
        {
            Hidden("x", large);
        }
    }

    public override (int At, int Gradient)[] Gradients => _size.Backward ? [(2, 1)] : [];

    public override OperationRow With(int images) => new AreaMeanRow(_size.Backward, images, _size.H, _size.W, _size.BlockH, _size.BlockW, _size.C);

    public override void Run(IBackend backend, Tensor[] t)
    {
        if (_size.Backward)
        {
            backend.AreaMeanBackward(t[0], t[1]);
        }
        else
        {
            backend.AreaMean(t[0], t[1]);
        }
    }

    public override double Loss(Operands<double> v)
    {
        double[] y = new double[v[0].Length];
        Mean(v[2], y);
        return Dot(v[0], y);
    }

    public override void Reference<T>(Operands<T> v)
    {
        if (!_size.Backward)
        {
            Mean(v[0], v[1]);
            return;
        }

        for (int i = 0; i < v[1].Length; i++)
        {
            v[1][i] = v[0][Small(i)] / Of<T>(_size.BlockH * _size.BlockW);
        }
    }

    private void Mean<T>(T[] x, T[] y)
        where T : struct, IFloatingPointIeee754<T>
    {
        Array.Clear(y);
        for (int i = 0; i < x.Length; i++)
        {
            y[Small(i)] += x[i];
        }

        for (int i = 0; i < y.Length; i++)
        {
            y[i] /= Of<T>(_size.BlockH * _size.BlockW);
        }
    }

    /// <summary>The element of the small grid that element i of the large one belongs to.</summary>
    private int Small(int i)
    {
        (_, int h, int w, int blockH, int blockW, int c) = _size;
        (int column, int row) = (i / c % (w * blockW), i / c / (w * blockW));
        return ((((row / (h * blockH) * h) + (row % (h * blockH) / blockH)) * w) + (column / blockW)) * c + (i % c);
    }
}
