using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Backends.Cpu;

namespace CoGrpo.Tests.Runtime;

/// <summary>The matrix product against fp64 sums, and the bit-for-bit promises of the contract.</summary>
public sealed unsafe class LinearTests : IDisposable
{
    private readonly CpuBackend _backend = new(2);
    private readonly Arena _arena;
    private readonly Random _random = new(7);

    public LinearTests() => _arena = _backend.CreateArena("activations", 1 << 22);

    public static TheoryData<int, int, int> Shapes =>
        new()
        {
            { 1, 1, 1 },
            { 1, 7, 3 },
            { 5, 16, 33 },
            { 12, 32, 32 },
            { 13, 31, 47 },
            { 64, 768, 96 },
            { 25, 513, 65 },
            { 130, 1030, 70 },
            { 131, 128, 431 },
            { 300, 40, 129 },
            { 37, 1600, 200 },
        };

    public void Dispose()
    {
        _arena.Dispose();
        _backend.Dispose();
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void ProductMatchesDoublePrecision(int m, int k, int n)
    {
        foreach (WeightLayout layout in (WeightLayout[])[WeightLayout.OutIn, WeightLayout.InOut])
        {
            Tensor x = Strided(m, k), w = Weight(n, k, layout), bias = New(1, n), y = Strided(m, n), pre = New(m, n), residual = Strided(m, n);
            Tensor gate = Strided(m % 5 == 0 ? 5 : 1, n);
            _backend.Linear(x, w, bias, y, layout, Activation.GeluErf, pre, residual, gate);
            for (int i = 0; i < m; i++)
            {
                for (int j = 0; j < n; j++)
                {
                    double sum = At(bias, 0, j), magnitude = 1;
                    for (int t = 0; t < k; t++)
                    {
                        double term = (double)At(x, i, t) * WeightAt(w, j, t, layout);
                        sum += term;
                        magnitude += Math.Abs(term);
                    }

                    double bound = (k + 4) * magnitude * 6e-8;
                    Assert.True(Math.Abs(At(pre, i, j) - sum) <= bound, $"{layout} pre [{i},{j}] {At(pre, i, j)} {sum}");
                    double want = At(residual, i, j) + (At(gate, i / (m / gate.Rows), j) * ActivationTests.Value(sum, Activation.GeluErf));
                    Assert.True(
                        Math.Abs(At(y, i, j) - want) <= (2 * bound) + (4e-7 * (1 + Math.Abs(sum)) * (1 + Math.Abs(At(gate, i / (m / gate.Rows), j)))),
                        $"{layout} y [{i},{j}]"
                    );
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void GradientsMatchDoublePrecision(int m, int k, int n)
    {
        foreach (WeightLayout layout in (WeightLayout[])[WeightLayout.OutIn, WeightLayout.InOut])
        {
            Tensor x = Strided(m, k), w = Weight(n, k, layout), dy = Strided(m, n), dx = Strided(m, k), dw = Weight(n, k, layout), db = New(1, n);
            foreach (bool accumulate in (bool[])[false, true])
            {
                float[] before = Values(dx);
                _backend.LinearBackwardInput(dy, w, dx, layout, accumulate);
                Near(dx, n, (i, j) => accumulate ? before[(i * k) + j] : 0, (i, j, t) => (double)At(dy, i, t) * WeightAt(w, t, j, layout));
            }

            float[] dwBefore = Values(dw), dbBefore = Values(db);
            _backend.LinearBackwardWeight(dy, x, dw, db, layout);
            Near(dw, m, (i, j) => dwBefore[(i * dw.Columns) + j],
                (i, j, t) => layout == WeightLayout.OutIn ? (double)At(dy, t, i) * At(x, t, j) : (double)At(x, t, i) * At(dy, t, j));
            Near(db, m, (i, j) => dbBefore[j], (i, j, t) => At(dy, t, j));

            float[] dwOnce = Values(dw), dbOnce = Values(db);
            _backend.LinearBackwardWeight(dy, x, default, default, layout);
            Assert.Equal(dwOnce, Values(dw));
            Assert.Equal(dbOnce, Values(db));
        }
    }

    /// <summary>The same rows alone, in pieces, with any number of workers: identical bits.</summary>
    [Theory]
    [MemberData(nameof(Shapes))]
    public void BitsDependOnNeitherSplitNorThreads(int m, int k, int n)
    {
        foreach (WeightLayout layout in (WeightLayout[])[WeightLayout.OutIn, WeightLayout.InOut])
        {
            Tensor x = Strided(m, k),
                w = Weight(n, k, layout),
                bias = New(1, n),
                dy = Strided(m, n),
                dwStart = Weight(n, k, layout),
                dbStart = New(1, n);
            float[][]? first = null;
            foreach (int threads in (int[])[1, 2, 3])
            {
                CpuBackend backend = new(threads);
                Tensor y = New(m, n), dx = New(m, k), dw = Copy(dwStart), db = Copy(dbStart);
                backend.Linear(x, w, bias, y, layout, Activation.Silu);
                backend.LinearBackwardInput(dy, w, dx, layout, accumulate: false);
                backend.LinearBackwardWeight(dy, x, dw, db, layout);
                float[][] all = [Values(y), Values(dx), Values(dw), Values(db)];
                first ??= all;
                for (int i = 0; i < all.Length; i++)
                {
                    Assert.True(Same(first[i], all[i]), $"{layout}, {threads} threads, result {i}");
                }

                foreach (int split in threads == 1 ? (int[])[1, 5, 12, 50] : [50])
                {
                    Tensor ySplit = New(m, n), dxSplit = New(m, k);
                    for (int row = 0; row < m; row += split)
                    {
                        int count = Math.Min(split, m - row);
                        backend.Linear(x.RowRange(row, count), w, bias, ySplit.RowRange(row, count), layout, Activation.Silu);
                        backend.LinearBackwardInput(dy.RowRange(row, count), w, dxSplit.RowRange(row, count), layout, accumulate: false);
                    }

                    Assert.True(Same(first[0], Values(ySplit)), $"{layout} y, {threads} threads, {split} rows at a time");
                    Assert.True(Same(first[1], Values(dxSplit)), $"{layout} dx, {threads} threads, {split} rows at a time");
                }

                backend.Dispose();
            }
        }
    }

    [Theory]
    [InlineData(Activation.None)]
    [InlineData(Activation.Silu)]
    [InlineData(Activation.GeluTanh)]
    [InlineData(Activation.GeluErf)]
    [InlineData(Activation.GeluQuick)]
    public void FusedEqualsSeparateBits(Activation activation)
    {
        (int m, int k, int n) = (60, 77, 171);
        Tensor x = New(m, k), w = New(n, k), bias = New(1, n), p = New(m, n), a = New(m, n), y = New(m, n), pre = New(m, n), gate = Strided(4, n);
        _backend.Linear(x, w, bias, p);
        _backend.Activate(p, a, activation);
        Tensor residual = New(m, n);
        float[] old = Values(residual), branch = Values(a), gates = Values(gate);
        _backend.Linear(x, w, bias, y, WeightLayout.OutIn, activation, pre);
        Assert.True(Same(Values(p), Values(pre)));
        Assert.True(Same(branch, Values(y)));
        _backend.Linear(x, w, bias, y, WeightLayout.OutIn, activation, default, residual);
        Assert.True(Same([.. old.Select((r, i) => r + branch[i])], Values(y)));
        _backend.Linear(x, w, bias, residual, WeightLayout.OutIn, activation, default, residual, gate);
        Assert.True(Same([.. old.Select((r, i) => MathF.FusedMultiplyAdd(gates[(i / n / 15 * n) + (i % n)], branch[i], r))], Values(residual)));
    }

    [Fact]
    public void EveryVectorWidthGivesTheSameBits()
    {
        const int Depth = 101;
        Tensor a = New(12, Depth), b = New(Depth, 32), start = New(12, 32);
        foreach (bool resume in (bool[])[false, true])
        {
            Tensor wide = Copy(start), middle = Copy(start), narrow = Copy(start);
            MatrixTile512.Multiply(12, a.F32, Depth, 1, b.F32, wide.F32, Depth, resume);
            MatrixTileNarrow.Multiply256(12, a.F32, Depth, 1, b.F32, middle.F32, Depth, resume);
            MatrixTileNarrow.Multiply128(a.F32, Depth, 1, b.F32, narrow.F32, Depth, resume);
            Assert.True(Same(Values(wide), Values(middle)));
            Assert.True(Same(Values(wide), Values(narrow)));
            foreach (int rows in (int[])[1, 4, 5, 8, 9])
            {
                Tensor few = Copy(start);
                MatrixTile512.Multiply(rows, a.F32, Depth, 1, b.F32, few.F32, Depth, resume);
                Assert.True(Same(Values(wide)[..(rows * 32)], Values(few)[..(rows * 32)]));
            }
        }
    }

    /// <summary>Products wider than the packed copy may be are done in column ranges.</summary>
    [Fact]
    public void WideProductsMatchTheirColumns()
    {
        (int m, int k, int n) = (3, 4096, 2100);
        Tensor x = New(m, k), w = New(n, k), y = New(m, n), part = New(m, 100);
        _backend.Linear(x, w, default, y);
        _backend.Linear(x, w.RowRange(2000, 100), default, part);
        Assert.True(Same(Values(part), Values(y.ColumnRange(2000, 100))));
    }

    [Fact]
    public void NothingIsWrittenOutsideTheView()
    {
        (int m, int k, int n) = (29, 50, 45);
        Tensor parent = New(m, n + 20), x = New(m, k), w = New(n, k);
        float[] before = Values(parent);
        _backend.Linear(x, w, default, parent.ColumnRange(7, n));
        float[] after = Values(parent);
        for (int i = 0; i < before.Length; i++)
        {
            int column = i % (n + 20);
            Assert.True((column >= 7 && column < n + 7) || before[i] == after[i]);
        }
    }

    [Fact]
    public void WarmOperationsAllocateNothing()
    {
        Tensor x = New(200, 64), w = New(96, 64), bias = New(1, 96), y = New(200, 96), dx = New(200, 64), dw = New(96, 64), db = New(1, 96);
        long before = 0;
        for (int i = 0; i < 5; i++)
        {
            before = i == 1 ? GC.GetAllocatedBytesForCurrentThread() : before;
            _backend.Linear(x, w, bias, y, WeightLayout.OutIn, Activation.Silu);
            _backend.Activate(y, y, Activation.GeluErf);
            _backend.LinearBackwardInput(y, w, dx, WeightLayout.OutIn, accumulate: true);
            _backend.LinearBackwardWeight(y, x, dw, db, WeightLayout.OutIn);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void WrongShapesAreNamed()
    {
        Tensor x = New(4, 8),
            w = New(6, 8),
            y = New(4, 6);
        Assert.Contains(
            "weight",
            Assert.Throws<TensorException>(() => _backend.Linear(x, w, default, y, WeightLayout.InOut)).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "gate",
            Assert.Throws<TensorException>(() => _backend.Linear(x, w, default, y, gate: New(3, 6))).Message,
            StringComparison.Ordinal
        );
        Assert.Contains("bias", Assert.Throws<TensorException>(() => _backend.Linear(x, w, New(1, 5), y)).Message, StringComparison.Ordinal);
    }

    private static void Near(Tensor got, int terms, Func<int, int, double> start, Func<int, int, int, double> term)
    {
        for (int i = 0; i < got.Rows; i++)
        {
            for (int j = 0; j < got.Columns; j++)
            {
                double sum = start(i, j), magnitude = Math.Abs(sum);
                for (int t = 0; t < terms; t++)
                {
                    double p = term(i, j, t);
                    sum += p;
                    magnitude += Math.Abs(p);
                }

                Assert.True(Math.Abs(At(got, i, j) - sum) <= (terms + 2) * magnitude * 6e-8, $"[{i},{j}] {At(got, i, j)} {sum}");
            }
        }
    }

    private static bool Same(float[] a, float[] b) => a.AsSpan().SequenceEqual(b);

    private static float At(Tensor x, int row, int column) => x.F32[((long)row * x.RowStride) + column];

    private static float WeightAt(Tensor w, int output, int input, WeightLayout layout) =>
        layout == WeightLayout.OutIn ? At(w, output, input) : At(w, input, output);

    private static float[] Values(Tensor x)
    {
        float[] values = new float[x.Rows * x.Columns];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = At(x, i / x.Columns, i % x.Columns);
        }

        return values;
    }

    private Tensor Weight(int outputs, int inputs, WeightLayout layout) => layout == WeightLayout.OutIn ? New(outputs, inputs) : New(inputs, outputs);

    private Tensor Strided(int rows, int columns) => New(rows, columns + 5).ColumnRange(3, columns);

    private Tensor Copy(Tensor x)
    {
        Tensor copy = _arena.Allocate(x.Shape);
        _backend.Upload<float>(Values(x), copy);
        return copy;
    }

    private Tensor New(int rows, int columns)
    {
        Tensor x = _arena.Allocate(new Shape(rows, columns));
        for (int i = 0; i < rows * columns; i++)
        {
            x.F32[i] = (float)((_random.NextDouble() * 2) - 1);
        }

        return x;
    }
}
