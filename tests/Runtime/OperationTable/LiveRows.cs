using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Tests.Runtime.OperationTable;

/// <summary>Copy of the leading rows of which only the device knows how many they are; the others keep what they held.</summary>
internal sealed class LiveCopyRow : OperationRow
{
    private readonly (int Rows, int Live, int Columns, bool ToWide) _size;

    public LiveCopyRow(int rows, int live, int columns, bool toWide = false)
        : base(nameof(IBackend.Copy), 1, $"{live} live rows of {rows}x{columns}{(toWide ? " to wide" : "")}")
    {
        _size = (rows, live, columns, toWide);
        In("x", new Shape(rows, columns));
        InOut("y", new Shape(rows, columns), wide: toWide);
        Integers("live", new Shape(1), (_, _) => live, shared: true);
    }

    public override OperationRow With(int images) => new LiveCopyRow(_size.Rows, _size.Live, _size.Columns, _size.ToWide);

    public override void Run(IBackend backend, Tensor[] t) => backend.Copy(t[0].WithLiveRows(t[2]), t[1]);

    public override void Reference<T>(Operands<T> v) => v[0].AsSpan(0, Math.Min(_size.Rows, _size.Live) * _size.Columns).CopyTo(v[1]);
}

internal sealed class LiveRmsNormRow : OperationRow
{
    private readonly (int Rows, int Live, int Columns) _size;

    public LiveRmsNormRow(int rows, int live, int columns)
        : base(nameof(IBackend.RmsNorm), 1, $"{live} live rows of {rows}x{columns}")
    {
        _size = (rows, live, columns);
        In("x", new Shape(rows, columns), Padding(columns, 3));
        In("weight", new Shape(columns));
        InOut("y", new Shape(rows, columns), Padding(columns, 4));
        InOut("rstd", new Shape(rows), wide: true);
        Integers("live", new Shape(1), (_, _) => live, shared: true);
    }

    public override OperationRow With(int images) => new LiveRmsNormRow(_size.Rows, _size.Live, _size.Columns);

    public override void Run(IBackend backend, Tensor[] t) => backend.RmsNorm(t[0].WithLiveRows(t[4]), t[1], t[2], t[3], NormFormula.Epsilon);

    public override void Reference<T>(Operands<T> v) =>
        NormFormula.Forward(Norm.Rms, v[0][..(Math.Min(_size.Rows, _size.Live) * _size.Columns)], v[1], v[1], v[2], v[3], 1, _size.Columns);
}

internal sealed class LiveGatherRowsRow : OperationRow
{
    private readonly (int M, int R, int Live, int Columns) _size;

    public LiveGatherRowsRow(int m, int r, int live, int columns)
        : base(nameof(IBackend.GatherRows), 1, $"{live} live of {r} rows of {m}x{columns}")
    {
        _size = (m, r, live, columns);
        In("x", new Shape(m, columns), Padding(columns, 3));

        // What is beyond the live rows is no index at all.
        Integers("rows", new Shape(r), (_, i) => i < live ? (7 * i) % m : -1000000);
        InOut("y", new Shape(r, columns), Padding(columns, 4));
        Integers("live", new Shape(1), (_, _) => live, shared: true);
    }

    public override OperationRow With(int images) => new LiveGatherRowsRow(_size.M, _size.R, _size.Live, _size.Columns);

    public override void Run(IBackend backend, Tensor[] t) => backend.GatherRows(t[0], t[1].WithLiveRows(t[3]), t[2]);

    public override void Reference<T>(Operands<T> v)
    {
        int columns = _size.Columns;
        for (int r = 0; r < Math.Min(_size.R, _size.Live); r++)
        {
            v[0].AsSpan(v.Integers(1)[r] * columns, columns).CopyTo(v[2].AsSpan(r * columns));
        }
    }
}

/// <summary>Pixels one below the other, as a list of tokens is.</summary>
internal sealed class LiveDepthToSpaceRow : OperationRow
{
    private readonly (int Pixels, int Live, int C) _size;

    public LiveDepthToSpaceRow(int pixels, int live, int c)
        : base(nameof(IBackend.DepthToSpace), 1, $"{live} live of {pixels} pixels, {c} channels")
    {
        _size = (pixels, live, c);
        In("x", new Shape(1, pixels, 1, 4 * c));
        InOut("y", new Shape(1, 2 * pixels, 2, c));
        Integers("live", new Shape(1), (_, _) => live, shared: true);
    }

    public override OperationRow With(int images) => new LiveDepthToSpaceRow(_size.Pixels, _size.Live, _size.C);

    public override void Run(IBackend backend, Tensor[] t) => backend.DepthToSpace(t[0].WithLiveRows(t[2]), t[1]);

    public override void Reference<T>(Operands<T> v)
    {
        for (int i = 0; i < Math.Min(_size.Pixels, _size.Live) * 4 * _size.C; i++)
        {
            (int pixel, int channel) = (i / (4 * _size.C), i % (4 * _size.C));
            v[1][(((4 * pixel) + (channel % 4)) * _size.C) + (channel / 4)] = v[0][i];
        }
    }
}

internal sealed class LiveLinearRow : OperationRow
{
    private readonly (int Rows, int Live, int K, int N, LinearForm Form) _size;

    public LiveLinearRow(int rows, int live, int k, int n, LinearForm form = default)
        : base(nameof(IBackend.Linear), 1, $"{live} live rows of {rows}x{k}x{n}{form}")
    {
        _size = (rows, live, k, n, form);
        In("x", new Shape(rows, k), form.Padding(3));
        In("weight", new Shape(n, k));
        InOut("y", new Shape(rows, n), form.Padding(1), wide: form.Wide);
        Integers("live", new Shape(1), (_, _) => live, shared: true);
    }

    public override OperationRow With(int images) => new LiveLinearRow(_size.Rows, _size.Live, _size.K, _size.N, _size.Form);

    public override void Run(IBackend backend, Tensor[] t) => backend.Linear(t[0].WithLiveRows(t[3]), t[1], default, t[2]);

    public override void Reference<T>(Operands<T> v)
    {
        for (int m = 0; m < Math.Min(_size.Rows, _size.Live); m++)
        {
            for (int j = 0; j < _size.N; j++)
            {
                T sum = T.Zero;
                for (int i = 0; i < _size.K; i++)
                {
                    sum += v[0][(m * _size.K) + i] * v[1][(j * _size.K) + i];
                }

                v[2][(m * _size.N) + j] = sum;
            }
        }
    }
}
