using System.Numerics;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Tests.Runtime.OperationTable;

internal sealed class GateResidualRow : OperationRow
{
    private readonly (int Tokens, int C, bool Gated) _size;

    public GateResidualRow(int images, int tokens, int c, bool gated)
        : base(nameof(IBackend.GateResidual), images, $"{tokens}x{c}{(gated ? " gate" : "")}")
    {
        _size = (tokens, c, gated);
        In("residual", new Shape(images, tokens, c), Padding(c, 3));
        In("branch", new Shape(images, tokens, c), Padding(c, 4));
        In("gate", new Shape(images, c), Padding(c, 5));
        Out("y", new Shape(images, tokens, c), Padding(c, 3));
    }

    public override (int Input, int Output)[] Aliases => [(0, 3)];

    public override OperationRow With(int images) => new GateResidualRow(images, _size.Tokens, _size.C, _size.Gated);

    public override void Run(IBackend backend, Tensor[] t) => backend.GateResidual(t[0], t[1], _size.Gated ? t[2] : default, t[3]);

    public override void Reference<T>(Operands<T> v)
    {
        (int tokens, int c, bool gated) = _size;
        for (int i = 0; i < v[3].Length; i++)
        {
            v[3][i] = v[0][i] + (gated ? v[2][(i / (tokens * c) * c) + (i % c)] * v[1][i] : v[1][i]);
        }
    }
}

internal sealed class GateResidualBackwardRow : OperationRow
{
    private readonly (int Tokens, int C, bool Branch) _size;

    public GateResidualBackwardRow(int images, int tokens, int c, bool branch)
        : base(nameof(IBackend.GateResidualBackward), images, $"{tokens}x{c}{(branch ? "" : " dgate only")}")
    {
        _size = (tokens, c, branch);
        In("dy", new Shape(images, tokens, c), Padding(c, 3));
        In("branch", new Shape(images, tokens, c), Padding(c, 4));
        In("gate", new Shape(images, c), Padding(c, 5));
        InOut("dgate", new Shape(images, c), Padding(c, 4), wide: true);
        if (branch)
        {
            Out("dbranch", new Shape(images, tokens, c), Padding(c, 5));
        }
    }

    public override (int At, int Gradient)[] Gradients => _size.Branch ? [(1, 4), (2, 3)] : [(2, 3)];

    public override OperationRow With(int images) => new GateResidualBackwardRow(images, _size.Tokens, _size.C, _size.Branch);

    public override void Run(IBackend backend, Tensor[] t) => backend.GateResidualBackward(t[0], t[1], t[2], _size.Branch ? t[4] : default, t[3]);

    public override double Loss(Operands<double> v)
    {
        double sum = 0;
        for (int i = 0; i < v[0].Length; i++)
        {
            sum += v[0][i] * v[2][GateAt(i)] * v[1][i];
        }

        return sum;
    }

    public override void Reference<T>(Operands<T> v)
    {
        for (int i = 0; i < v[0].Length; i++)
        {
            v[3][GateAt(i)] += v[0][i] * v[1][i];
            if (_size.Branch)
            {
                v[4][i] = v[0][i] * v[2][GateAt(i)];
            }
        }
    }

    private int GateAt(int i) => (i / (_size.Tokens * _size.C) * _size.C) + (i % _size.C);
}

internal sealed class EmbeddingRow : OperationRow
{
    private readonly (int L, int V, int C, bool Positions) _size;

    public EmbeddingRow(int images, int l, int v, int c, bool positions)
        : base(nameof(IBackend.Embedding), images, $"{l} of {v}, {c} channels{(positions ? " positions" : "")}")
    {
        _size = (l, v, c, positions);
        Integers("ids", new Shape(images, l), (r, _) => r.Next(v));
        In("table", new Shape(v, c), shared: true);
        In("positions", new Shape(l, c), shared: true);
        Out("y", new Shape(images, l, c), Padding(c, 3));
    }

    public override OperationRow With(int images) => new EmbeddingRow(images, _size.L, _size.V, _size.C, _size.Positions);

    public override void Run(IBackend backend, Tensor[] t) => backend.Embedding(t[0], t[1], _size.Positions ? t[2] : default, t[3]);

    public override void Reference<T>(Operands<T> v)
    {
        (int l, _, int c, bool positions) = _size;
        for (int i = 0; i < v[3].Length; i++)
        {
            v[3][i] = v[1][(v.Integers(0)[i / c] * c) + (i % c)] + (positions ? v[2][i % (l * c)] : T.Zero);
        }
    }
}

internal sealed class EmbeddingBackwardRow : OperationRow
{
    private readonly (int L, int V, int C, bool Masked) _size;

    /// <summary>Masked: half of the ids are the last one, as those of a canvas are.</summary>
    public EmbeddingBackwardRow(int images, int l, int v, int c, bool masked = false)
        : base(nameof(IBackend.EmbeddingBackward), images, $"{l} of {v}, {c} channels{(masked ? " masked" : "")}")
    {
        _size = (l, v, c, masked);
        In("dy", new Shape(images, l, c), Padding(c, 3));
        Integers("ids", new Shape(images, l), (r, _) => masked && r.Next(2) == 0 ? v - 1 : r.Next(v));
        InOut("dtable", new Shape(v, c), shared: true, wide: true);
        InOut("dpositions", new Shape(l, c), shared: true, wide: true);
        Hidden("table", new Shape(v, c), shared: true);
        Hidden("positions", new Shape(l, c), shared: true);
    }

    public override (int At, int Gradient)[] Gradients => [(4, 2), (5, 3)];

    public override OperationRow With(int images) => new EmbeddingBackwardRow(images, _size.L, _size.V, _size.C, _size.Masked);

    public override void Run(IBackend backend, Tensor[] t) => backend.EmbeddingBackward(t[0], t[1], t[2], t[3]);

    public override double Loss(Operands<double> v)
    {
        double sum = 0;
        for (int i = 0; i < v[0].Length; i++)
        {
            sum += v[0][i] * (v[4][(v.Integers(1)[i / _size.C] * _size.C) + (i % _size.C)] + v[5][i % (_size.L * _size.C)]);
        }

        return sum;
    }

    public override void Reference<T>(Operands<T> v)
    {
        for (int i = 0; i < v[0].Length; i++)
        {
            v[2][(v.Integers(1)[i / _size.C] * _size.C) + (i % _size.C)] += v[0][i];
            v[3][i % (_size.L * _size.C)] += v[0][i];
        }
    }
}

internal sealed class TransposeTokensRow : OperationRow
{
    private readonly (int N, int C) _size;

    public TransposeTokensRow(int images, int n, int c)
        : base(nameof(IBackend.TransposeTokens), images, $"{n}x{c}")
    {
        _size = (n, c);
        In("x", new Shape(images, n, c), Padding(c, 3));
        Out("y", new Shape(images, c, n), Padding(n, 4));
    }

    public override OperationRow With(int images) => new TransposeTokensRow(images, _size.N, _size.C);

    public override void Run(IBackend backend, Tensor[] t) => backend.TransposeTokens(t[0], t[1]);

    public override void Reference<T>(Operands<T> v)
    {
        (int n, int c) = _size;
        for (int i = 0; i < v[0].Length; i++)
        {
            v[1][(i / (n * c) * n * c) + (i % c * n) + (i / c % n)] = v[0][i];
        }
    }
}

internal sealed class CopyTokensRow : OperationRow
{
    private readonly (int From, int To, int C, int XFirst, int YFirst, int Count, bool Accumulate) _size;

    public CopyTokensRow(int images, int from, int to, int c, int xFirst, int yFirst, int count, bool accumulate)
        : base(
            nameof(IBackend.CopyTokens),
            images,
            $"{count} tokens of {c} from {xFirst} of {from} to {yFirst} of {to}{(accumulate ? " accumulate" : "")}"
        )
    {
        _size = (from, to, c, xFirst, yFirst, count, accumulate);
        In("x", new Shape(images, from, c), Padding(c, 3));
        InOut("y", new Shape(images, to, c), Padding(c, 4));
    }

    public override OperationRow With(int images) =>
        new CopyTokensRow(images, _size.From, _size.To, _size.C, _size.XFirst, _size.YFirst, _size.Count, _size.Accumulate);

    public override void Run(IBackend backend, Tensor[] t) =>
        backend.CopyTokens(t[0], _size.XFirst, t[1], _size.YFirst, _size.Count, _size.Accumulate);

    public override void Reference<T>(Operands<T> v)
    {
        (int from, int to, int c, int xFirst, int yFirst, int count, bool accumulate) = _size;
        for (int b = 0; b < Images; b++)
        {
            for (int i = 0; i < count * c; i++)
            {
                T x = v[0][(((b * from) + xFirst) * c) + i];
                ref T y = ref v[1][(((b * to) + yFirst) * c) + i];
                y = accumulate ? y + x : x;
            }
        }
    }
}

/// <summary>Rows that are gathered are numbered through the whole matrix, so the case does not split into images.</summary>
internal sealed class GatherRowsRow : OperationRow
{
    private readonly (int M, int R, int C) _size;

    public GatherRowsRow(int m, int r, int c)
        : base(nameof(IBackend.GatherRows), 1, $"{r} of {m}x{c}")
    {
        _size = (m, r, c);
        In("x", new Shape(m, c), Padding(c, 3));
        Integers("rows", new Shape(r), (_, i) => m - 1 - (i * (m / r)));
        Out("y", new Shape(r, c), Padding(c, 4));
    }

    public override OperationRow With(int images) => new GatherRowsRow(_size.M, _size.R, _size.C);

    public override void Run(IBackend backend, Tensor[] t) => backend.GatherRows(t[0], t[1], t[2]);

    public override void Reference<T>(Operands<T> v)
    {
        for (int i = 0; i < v[2].Length; i++)
        {
            v[2][i] = v[0][(v.Integers(1)[i / _size.C] * _size.C) + (i % _size.C)];
        }
    }
}

internal sealed class GatherRowsBackwardRow : OperationRow
{
    private readonly (int M, int R, int C, bool Accumulate) _size;

    public GatherRowsBackwardRow(int m, int r, int c, bool accumulate)
        : base(nameof(IBackend.GatherRowsBackward), 1, $"{r} of {m}x{c}{(accumulate ? " accumulate" : "")}")
    {
        _size = (m, r, c, accumulate);
        In("dy", new Shape(r, c), Padding(c, 4));
        Integers("rows", new Shape(r), (_, i) => m - 1 - (i * (m / r)));
        Result("dx", new Shape(m, c), accumulate, Padding(c, 3));
        Hidden("x", new Shape(m, c));
    }

    public override (int At, int Gradient)[] Gradients => [(3, 2)];

    public override OperationRow With(int images) => new GatherRowsBackwardRow(_size.M, _size.R, _size.C, _size.Accumulate);

    public override void Run(IBackend backend, Tensor[] t) => backend.GatherRowsBackward(t[0], t[1], t[2], _size.Accumulate);

    public override double Loss(Operands<double> v)
    {
        double sum = 0;
        for (int i = 0; i < v[0].Length; i++)
        {
            sum += v[0][i] * v[3][(v.Integers(1)[i / _size.C] * _size.C) + (i % _size.C)];
        }

        return sum;
    }

    public override void Reference<T>(Operands<T> v)
    {
        if (!_size.Accumulate)
        {
            Array.Clear(v[2]);
        }

        for (int i = 0; i < v[0].Length; i++)
        {
            v[2][(v.Integers(1)[i / _size.C] * _size.C) + (i % _size.C)] += v[0][i];
        }
    }
}
