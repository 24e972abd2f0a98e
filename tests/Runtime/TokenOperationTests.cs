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
        double[] residual = RowOperationHost.Normal(1, B * S * c),
            branch = RowOperationHost.Normal(2, B * S * c),
            gate = RowOperationHost.Normal(3, B * c);
        Shape tokens = new(B, S, c),
            vectors = new(B, c);
        Tensor tresidual = host.Put(residual, tokens, 1),
            tbranch = host.Put(branch, tokens, 2),
            tgate = host.Put(gate, vectors, 3),
            y = host.Poisoned(tokens, 4);
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

    [Fact]
    public void SinusoidIsExactAfterTheAngleIsRounded()
    {
        float[] values = [0f, 1f, 63000f, -517.25f, 1e6f, 3.3e4f];
        float[] frequencies = [.. Enumerable.Range(0, 33).Select(k => (float)Math.Exp(-Math.Log(10000) * k / 33))];
        using RowOperationHost host = new(2);
        Tensor y = host.Poisoned(new Shape(values.Length, 66), 1);
        host.Backend.Sinusoid(
            host.Put([.. values.Select(v => (double)v)], new Shape(values.Length)),
            host.Put([.. frequencies.Select(v => (double)v)], new Shape(33)),
            y
        );
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
        Shape tokens = new(B, S, C),
            vectors = new(B, C);
        Tensor x = host.Put(RowOperationHost.Normal(1, B * S * C), tokens),
            y = host.Poisoned(tokens),
            dx = host.Poisoned(tokens);
        Tensor vector = host.Put(RowOperationHost.Normal(2, B * C), vectors),
            gradient = host.Put(new double[B * C], vectors),
            gradient2 = host.Put(new double[B * C], vectors);
        Tensor weight = host.Put(RowOperationHost.Normal(3, C), new Shape(C)),
            dweight = host.Put(new double[C], new Shape(C)),
            dbias = host.Put(new double[C], new Shape(C));
        Tensor stats = host.Poisoned(new Shape(B * S, 2)),
            rstd = host.Poisoned(new Shape(B * S));
        Tensor rows = host.Put([.. Enumerable.Range(0, B * S)], new Shape(B * S)),
            labels = host.Put(new int[B * S], new Shape(B * S));
        Tensor ids = host.Put(new int[B * S], new Shape(B, S));
        Tensor grid = x.Reshape(new Shape(B, 8, 5, C)),
            conv = host.Poisoned(new Shape(B, 4, 3, C)),
            taps = host.Put(new double[9 * C], new Shape(C, 1, 3, 3));
        Tensor even = x.Reshape(new Shape(B, 4, 10, C)),
            deep = host.Poisoned(new Shape(B, 2, 5, 4 * C)),
            dtaps = host.Put(new double[9 * C], new Shape(C, 1, 3, 3));
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
