using CoGrpo.Runtime;

namespace CoGrpo.Tests.Runtime;

public sealed class TokenOperationTests
{
    public static TheoryData<int> Widths => new(1, 5, 16, 33, 128, 1000);

    [Theory]
    [MemberData(nameof(Widths))]
    public void GateResidualIsTheFusedMultiplyAdd(int c)
    {
        const int B = 3, S = 21;
        using RowOperationHost host = new(2);
        double[] residual = RowOperationHost.Normal(1, B * S * c), branch = RowOperationHost.Normal(2, B * S * c), gate = RowOperationHost.Normal(3, B * c);
        Shape tokens = new(B, S, c), vectors = new(B, c);
        Tensor tresidual = host.Put(residual, tokens, 1), tbranch = host.Put(branch, tokens, 2), tgate = host.Put(gate, vectors, 3), y = host.Poisoned(tokens, 4);
        host.Backend.GateResidual(tresidual, tbranch, tgate, y);
        float[] expected = new float[B * S * c], plain = new float[B * S * c];
        for (int i = 0; i < expected.Length; i++)
        {
            expected[i] = MathF.FusedMultiplyAdd((float)gate[(i / (S * c) * c) + (i % c)], (float)branch[i], (float)residual[i]);
            plain[i] = (float)residual[i] + (float)branch[i];
        }

        RowOperationHost.AssertSameBits(expected, RowOperationHost.Read(y));
        RowOperationHost.AssertPaddingUntouched(y);
        host.Backend.GateResidual(tresidual, tbranch, default, y);
        RowOperationHost.AssertSameBits(plain, RowOperationHost.Read(y));
        host.Backend.GateResidual(tresidual, tbranch, tgate, tresidual);
        RowOperationHost.AssertSameBits(expected, RowOperationHost.Read(tresidual));
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void GateResidualBackwardMatchesFp64(int c)
    {
        const int B = 3, S = 21;
        double[] branch = RowOperationHost.Normal(2, B * S * c), gate = RowOperationHost.Normal(3, B * c), dy = RowOperationHost.Normal(4, B * S * c);
        double[] before = RowOperationHost.Normal(5, B * c), dbranch = new double[B * S * c], dgate = (double[])before.Clone();
        for (int i = 0; i < dy.Length; i++)
        {
            int p = (i / (S * c) * c) + (i % c);
            dbranch[i] = gate[p] * dy[i];
            dgate[p] += dy[i] * branch[i];
        }

        float[][] bits = new float[3][];
        for (int threads = 1; threads <= 3; threads++)
        {
            using RowOperationHost host = new(threads);
            Tensor tdy = host.Put(dy, new Shape(B, S, c), 1), tbranch = host.Put(branch, new Shape(B, S, c)), tgate = host.Put(gate, new Shape(B, c), 3);
            Tensor tdbranch = host.Poisoned(new Shape(B, S, c), 2), tdgate = host.Put(before, new Shape(B, c), 5), again = host.Put(before, new Shape(B, c));
            host.Backend.GateResidualBackward(tdy, tbranch, tgate, tdbranch, tdgate);
            host.Backend.GateResidualBackward(tdy, tbranch, tgate, default, again);
            RowOperationHost.AssertClose(dbranch, RowOperationHost.Read(tdbranch), 1e-7);
            RowOperationHost.AssertClose(dgate, RowOperationHost.Read(tdgate), 1e-6);
            RowOperationHost.AssertSameBits(RowOperationHost.Read(tdgate), RowOperationHost.Read(again));
            bits[threads - 1] = RowOperationHost.Read(tdgate);
        }

        RowOperationHost.AssertSameBits(bits[0], bits[1]);
        RowOperationHost.AssertSameBits(bits[0], bits[2]);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void FillCopyAndAddTakeStridedRows(int c)
    {
        const int M = 67;
        using RowOperationHost host = new(3);
        double[] a = RowOperationHost.Normal(1, M * c), b = RowOperationHost.Normal(2, M * c), before = RowOperationHost.Normal(3, M * c);
        foreach (int padding in (int[])[0, 3])
        {
            Shape shape = new(M, c);
            Tensor ta = host.Put(a, shape, padding), tb = host.Put(b, shape), y = host.Poisoned(shape, padding);
            host.Backend.Fill(y, 0.1f);
            Assert.All(RowOperationHost.Read(y), v => Assert.Equal(0.1f, v));
            RowOperationHost.AssertPaddingUntouched(y);
            host.Backend.Copy(ta, y);
            RowOperationHost.AssertSameBits(RowOperationHost.Read(ta), RowOperationHost.Read(y));
            host.Backend.Add(ta, tb, y);
            RowOperationHost.AssertSameBits([.. a.Zip(b, (u, v) => (float)u + (float)v)], RowOperationHost.Read(y));
            y = host.Put(before, shape, padding);
            host.Backend.Add(ta, tb, y, true);
            RowOperationHost.AssertSameBits([.. a.Zip(b, before).Select(t => (float)t.Third + (float)t.First + (float)t.Second)], RowOperationHost.Read(y));
            y = host.Put(before, shape, padding);
            host.Backend.Add(ta, default, y, true);
            RowOperationHost.AssertSameBits([.. a.Zip(before, (u, v) => (float)v + (float)u)], RowOperationHost.Read(y));
            host.Backend.Add(ta, default, y);
            RowOperationHost.AssertSameBits(RowOperationHost.Read(ta), RowOperationHost.Read(y));
            host.Backend.Add(y, tb, y);
            RowOperationHost.AssertSameBits([.. a.Zip(b, (u, v) => (float)u + (float)v)], RowOperationHost.Read(y));
            RowOperationHost.AssertPaddingUntouched(y);
        }

        Tensor integers = host.Put([1, 2, 3], new Shape(3)), copy = host.Put([0, 0, 0], new Shape(3));
        host.Backend.Copy(integers, copy);
        int[] read = new int[3];
        host.Backend.Download(copy, read.AsSpan());
        Assert.Equal([1, 2, 3], read);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void EmbeddingAndItsGradients(int c)
    {
        const int B = 4, L = 13, V = 7;
        double[] table = RowOperationHost.Normal(1, V * c), positions = RowOperationHost.Normal(2, L * c), dy = RowOperationHost.Normal(3, B * L * c);
        double[] tableBefore = RowOperationHost.Normal(4, V * c), positionsBefore = RowOperationHost.Normal(5, L * c);
        int[] ids = [.. Enumerable.Range(0, B * L).Select(i => i * i % V)];
        float[]? bits = null;
        for (int threads = 1; threads <= 3; threads++)
        {
            using RowOperationHost host = new(threads);
            Tensor tids = host.Put(ids, new Shape(B, L)), y = host.Poisoned(new Shape(B, L, c), 1), plain = host.Poisoned(new Shape(B, L, c));
            Tensor ttable = host.Put(table, new Shape(V, c), 2);
            host.Backend.Embedding(tids, ttable, host.Put(positions, new Shape(L, c)), y);
            host.Backend.Embedding(tids, ttable, default, plain);
            float[] dtable = [.. tableBefore.Select(v => (float)v)];
            double[] dpositions = (double[])positionsBefore.Clone();
            float[] expected = new float[B * L * c], expectedPlain = new float[B * L * c];
            for (int i = 0; i < dy.Length; i++)
            {
                int row = i / c;
                expectedPlain[i] = (float)table[(ids[row] * c) + (i % c)];
                expected[i] = expectedPlain[i] + (float)positions[i % (L * c)];
                dtable[(ids[row] * c) + (i % c)] += (float)dy[i];
                dpositions[i % (L * c)] += dy[i];
            }

            RowOperationHost.AssertSameBits(expected, RowOperationHost.Read(y));
            RowOperationHost.AssertSameBits(expectedPlain, RowOperationHost.Read(plain));
            Tensor tdy = host.Put(dy, new Shape(B, L, c), 3), tdtable = host.Put(tableBefore, new Shape(V, c)), tdpositions = host.Put(positionsBefore, new Shape(L, c));
            host.Backend.EmbeddingBackward(tdy, tids, tdtable, default);
            host.Backend.EmbeddingBackward(tdy, tids, default, tdpositions);
            RowOperationHost.AssertSameBits(dtable, RowOperationHost.Read(tdtable));
            RowOperationHost.AssertClose(dpositions, RowOperationHost.Read(tdpositions), 1e-6);
            bits ??= RowOperationHost.Read(tdpositions);
            RowOperationHost.AssertSameBits(bits, RowOperationHost.Read(tdpositions));
            Assert.Throws<TensorException>(() => host.Backend.Embedding(host.Put([V], new Shape(1, 1)), ttable, default, host.Poisoned(new Shape(1, 1, c))));
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void GatherRowsAndItsGradient(int c)
    {
        const int M = 70;
        double[] x = RowOperationHost.Normal(1, M * c), before = RowOperationHost.Normal(2, M * c);
        int[] rows = [.. Enumerable.Range(0, 33).Select(i => i * 37 % M)];
        double[] dy = RowOperationHost.Normal(3, rows.Length * c);
        using RowOperationHost host = new(3);
        Tensor trows = host.Put(rows, new Shape(rows.Length)), y = host.Poisoned(new Shape(rows.Length, c), 1), tdy = host.Put(dy, new Shape(rows.Length, c), 2);
        host.Backend.GatherRows(host.Put(x, new Shape(2, M / 2, c), 3), trows, y);
        RowOperationHost.AssertSameBits([.. rows.SelectMany(r => x.Skip(r * c).Take(c)).Select(v => (float)v)], RowOperationHost.Read(y));
        RowOperationHost.AssertPaddingUntouched(y);

        float[] scattered = new float[M * c], added = [.. before.Select(v => (float)v)];
        for (int i = 0; i < dy.Length; i++)
        {
            scattered[(rows[i / c] * c) + (i % c)] = (float)dy[i];
            added[(rows[i / c] * c) + (i % c)] += (float)dy[i];
        }

        Tensor dx = host.Poisoned(new Shape(M, c), 1), dxAdded = host.Put(before, new Shape(M, c));
        host.Backend.GatherRowsBackward(tdy, trows, dx, false);
        host.Backend.GatherRowsBackward(tdy, trows, dxAdded, true);
        RowOperationHost.AssertSameBits(scattered, RowOperationHost.Read(dx));
        RowOperationHost.AssertPaddingUntouched(dx);
        RowOperationHost.AssertSameBits(added, RowOperationHost.Read(dxAdded));
        Assert.Throws<TensorException>(() => host.Backend.GatherRows(dx, host.Put([0, -1], new Shape(2)), host.Poisoned(new Shape(2, c))));
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void TransposeAndCopyTokens(int c)
    {
        const int B = 3, N = 21;
        double[] x = RowOperationHost.Normal(1, B * N * c), before = RowOperationHost.Normal(2, B * 30 * c);
        using RowOperationHost host = new(2);
        Tensor tx = host.Put(x, new Shape(B, N, c), 1), transposed = host.Poisoned(new Shape(B, c, N), 2), back = host.Poisoned(new Shape(B, N, c));
        host.Backend.TransposeTokens(tx, transposed);
        host.Backend.TransposeTokens(transposed, back);
        float[] y = RowOperationHost.Read(transposed);
        for (int i = 0; i < x.Length; i++)
        {
            Assert.Equal((float)x[i], y[(((i / (N * c) * c) + (i % c)) * N) + (i / c % N)]);
        }

        RowOperationHost.AssertSameBits(RowOperationHost.Read(tx), RowOperationHost.Read(back));
        RowOperationHost.AssertPaddingUntouched(transposed);

        foreach (bool accumulate in (bool[])[false, true])
        {
            Tensor ty = host.Put(before, new Shape(B, 30, c), 1);
            float[] expected = RowOperationHost.Read(ty);
            host.Backend.CopyTokens(tx, 4, ty, 9, 15, accumulate);
            for (int b = 0; b < B; b++)
            {
                for (int i = 0; i < 15 * c; i++)
                {
                    ref float e = ref expected[(((b * 30) + 9) * c) + i];
                    e = (accumulate ? e : 0f) + (float)x[(((b * N) + 4) * c) + i];
                }
            }

            RowOperationHost.AssertSameBits(expected, RowOperationHost.Read(ty));
            Assert.Throws<TensorException>(() => host.Backend.CopyTokens(tx, 7, ty, 0, 15));
        }
    }

    [Fact]
    public void SinusoidIsExactAfterTheAngleIsRounded()
    {
        float[] values = [0f, 1f, 63000f, -517.25f, 1e6f, 3.3e4f];
        float[] frequencies = [.. Enumerable.Range(0, 33).Select(k => (float)Math.Exp(-Math.Log(10000) * k / 33))];
        using RowOperationHost host = new(2);
        Tensor y = host.Poisoned(new Shape(values.Length, 66), 1);
        host.Backend.Sinusoid(host.Put([.. values.Select(v => (double)v)], new Shape(values.Length)), host.Put([.. frequencies.Select(v => (double)v)], new Shape(33)), y);
        float[] result = RowOperationHost.Read(y);
        for (int m = 0; m < values.Length; m++)
        {
            for (int k = 0; k < 33; k++)
            {
                float angle = values[m] * frequencies[k];
                Assert.Equal((float)Math.Cos(angle), result[(m * 66) + k]);
                Assert.Equal((float)Math.Sin(angle), result[(m * 66) + 33 + k]);
            }
        }
    }

    [Fact]
    public unsafe void NothingIsAllocatedAfterWarmUp()
    {
        const int B = 4, S = 40, C = 64;
        using RowOperationHost host = new(2);
        Shape tokens = new(B, S, C), vectors = new(B, C);
        Tensor x = host.Put(RowOperationHost.Normal(1, B * S * C), tokens), y = host.Poisoned(tokens), dx = host.Poisoned(tokens);
        Tensor vector = host.Put(RowOperationHost.Normal(2, B * C), vectors), gradient = host.Put(new double[B * C], vectors), gradient2 = host.Put(new double[B * C], vectors);
        Tensor weight = host.Put(RowOperationHost.Normal(3, C), new Shape(C)), dweight = host.Put(new double[C], new Shape(C)), dbias = host.Put(new double[C], new Shape(C));
        Tensor stats = host.Poisoned(new Shape(B * S, 2)), rstd = host.Poisoned(new Shape(B * S));
        Tensor rows = host.Put([.. Enumerable.Range(0, B * S)], new Shape(B * S)), labels = host.Put(new int[B * S], new Shape(B * S));
        Tensor ids = host.Put(new int[B * S], new Shape(B, S));
        Tensor grid = x.Reshape(new Shape(B, 8, 5, C)), conv = host.Poisoned(new Shape(B, 4, 3, C)), taps = host.Put(new double[9 * C], new Shape(C, 1, 3, 3));
        Tensor even = x.Reshape(new Shape(B, 4, 10, C)), deep = host.Poisoned(new Shape(B, 2, 5, 4 * C)), dtaps = host.Put(new double[9 * C], new Shape(C, 1, 3, 3));
        long before = 0;
        for (int round = 0; round < 3; round++)
        {
            before = GC.GetAllocatedBytesForCurrentThread();
            host.Backend.AdaLn(x, vector, vector, y, stats, 1e-6f);
            host.Backend.AdaLnBackward(y, x, vector, stats, dx, false, gradient, gradient2);
            host.Backend.LayerNorm(x, weight, weight, y, stats, 1e-6f);
            host.Backend.LayerNormBackward(y, x, weight, stats, dx, true, dweight, dbias);
            host.Backend.RmsNorm(x, weight, y, rstd, 1e-6f);
            host.Backend.RmsNormBackward(y, x, weight, rstd, dx, false, dweight);
            host.Backend.GateResidual(x, y, vector, dx);
            host.Backend.GateResidualBackward(x, y, vector, dx, gradient);
            host.Backend.GatherRows(x, rows, y);
            host.Backend.GatherRowsBackward(y, rows, dx, false);
            host.Backend.Embedding(ids, weight.Reshape(new Shape(1, C)), default, y);
            host.Backend.EmbeddingBackward(y, ids, dweight.Reshape(new Shape(1, C)), default);
            host.Backend.CrossEntropy(x, labels, 1f, rstd, dx);
            host.Backend.DepthwiseConv(grid, taps, weight, conv);
            host.Backend.DepthwiseConvBackward(conv, grid, taps, default, dtaps, dbias);
            host.Backend.SpaceToDepth(even, deep);
            host.Backend.Fill(y, 0f);
            host.Backend.Add(x, y, dx, true);
            host.Backend.CopyTokens(x, 0, y, 0, S);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
