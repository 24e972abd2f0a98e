using CoGrpo.Runtime;

namespace CoGrpo.Tests.Runtime;

public sealed class NormTests
{
    private const float Epsilon = 1e-6f;

    public static TheoryData<int> Widths => new(1, 5, 16, 33, 128, 1000);

    [Theory]
    [MemberData(nameof(Widths))]
    public void AdaLnMatchesFp64(int c)
    {
        const int B = 3, S = 19;
        using RowOperationHost host = new(2);
        double[] x = RowOperationHost.Normal(1, B * S * c, 2, 0.5), shift = RowOperationHost.Normal(2, B * c), scale = RowOperationHost.Normal(3, B * c);
        double[] dy = RowOperationHost.Normal(4, B * S * c), before = RowOperationHost.Normal(5, B * S * c), parameterBefore = RowOperationHost.Normal(6, B * c);
        Tensor tx = host.Put(x, new Shape(B, S, c), 3), tdy = host.Put(dy, new Shape(B, S, c), 5);
        Tensor tshift = host.Put(shift, new Shape(B, c), 7), tscale = host.Put(scale, new Shape(B, c), 7);
        Tensor y = host.Poisoned(new Shape(B, S, c), 2), stats = host.Poisoned(new Shape(B * S, 2));
        host.Backend.AdaLn(tx, tshift, tscale, y, stats, Epsilon);
        RowOperationHost.AssertClose(NormReference.LayerNorm(x, scale, shift, 1, c, Epsilon), RowOperationHost.Read(y), 1e-6);
        RowOperationHost.AssertPaddingUntouched(y);

        (double[] dx, double[] dscale, double[] dshift) = NormReference.Backward(dy, x, scale, 1, c, Epsilon, true);
        foreach (bool accumulate in (bool[])[false, true])
        {
            Tensor tdx = accumulate ? host.Put(before, new Shape(B, S, c), 1) : host.Poisoned(new Shape(B, S, c), 1);
            Tensor tdshift = host.Put(parameterBefore, new Shape(B, c), 4), tdscale = host.Put(parameterBefore, new Shape(B, c), 9);
            host.Backend.AdaLnBackward(tdy, tx, tscale, stats, tdx, accumulate, tdshift, tdscale);
            RowOperationHost.AssertClose(accumulate ? RowOperationHost.Sum(dx, before) : dx, RowOperationHost.Read(tdx), 2e-6);
            RowOperationHost.AssertClose(RowOperationHost.Sum(dshift, parameterBefore), RowOperationHost.Read(tdshift), 1e-6);
            RowOperationHost.AssertClose(RowOperationHost.Sum(dscale, parameterBefore), RowOperationHost.Read(tdscale), 2e-6);
            RowOperationHost.AssertPaddingUntouched(tdx);
            RowOperationHost.AssertPaddingUntouched(tdscale);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void LayerNormMatchesFp64(int c)
    {
        const int M = 39;
        using RowOperationHost host = new(2);
        double[] x = RowOperationHost.Normal(1, M * c, 2, 0.5), weight = RowOperationHost.Normal(2, c), bias = RowOperationHost.Normal(3, c);
        double[] dy = RowOperationHost.Normal(4, M * c), before = RowOperationHost.Normal(5, M * c), parameterBefore = RowOperationHost.Normal(6, c);
        Tensor tx = host.Put(x, new Shape(M, c), 3), tdy = host.Put(dy, new Shape(M, c)), tweight = host.Put(weight, new Shape(c)), tbias = host.Put(bias, new Shape(c));
        Tensor y = host.Poisoned(new Shape(M, c), 2), stats = host.Poisoned(new Shape(M, 2));
        host.Backend.LayerNorm(tx, tweight, tbias, y, stats, Epsilon);
        RowOperationHost.AssertClose(NormReference.LayerNorm(x, weight, bias, 0, c, Epsilon), RowOperationHost.Read(y), 1e-6);
        RowOperationHost.AssertPaddingUntouched(y);

        (double[] dx, double[] dweight, double[] dbias) = NormReference.Backward(dy, x, weight, 0, c, Epsilon, true);
        foreach (bool accumulate in (bool[])[false, true])
        {
            Tensor tdx = accumulate ? host.Put(before, new Shape(M, c)) : host.Poisoned(new Shape(M, c));
            Tensor tdweight = host.Put(parameterBefore, new Shape(c)), tdbias = host.Put(parameterBefore, new Shape(c));
            host.Backend.LayerNormBackward(tdy, tx, tweight, stats, tdx, accumulate, tdweight, tdbias);
            RowOperationHost.AssertClose(accumulate ? RowOperationHost.Sum(dx, before) : dx, RowOperationHost.Read(tdx), 2e-6);
            RowOperationHost.AssertClose(RowOperationHost.Sum(dweight, parameterBefore), RowOperationHost.Read(tdweight), 2e-6);
            RowOperationHost.AssertClose(RowOperationHost.Sum(dbias, parameterBefore), RowOperationHost.Read(tdbias), 1e-6);
        }

        Tensor alone = host.Poisoned(new Shape(M, c));
        host.Backend.LayerNormBackward(tdy, tx, tweight, stats, alone, false, default, default);
        RowOperationHost.AssertClose(dx, RowOperationHost.Read(alone), 2e-6);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void RmsNormMatchesFp64(int c)
    {
        const int M = 39;
        using RowOperationHost host = new(2);
        double[] x = RowOperationHost.Normal(1, M * c, 2, 0.5), weight = RowOperationHost.Normal(2, c);
        double[] dy = RowOperationHost.Normal(4, M * c), before = RowOperationHost.Normal(5, M * c), parameterBefore = RowOperationHost.Normal(6, c);
        Tensor tx = host.Put(x, new Shape(M, c), 3), tdy = host.Put(dy, new Shape(M, c), 1), tweight = host.Put(weight, new Shape(c));
        Tensor y = host.Poisoned(new Shape(M, c), 2), rstd = host.Poisoned(new Shape(M));
        host.Backend.RmsNorm(tx, tweight, y, rstd, Epsilon);
        RowOperationHost.AssertClose(NormReference.RmsNorm(x, weight, c, Epsilon), RowOperationHost.Read(y), 1e-6);
        RowOperationHost.AssertPaddingUntouched(y);

        (double[] dx, double[] dweight, _) = NormReference.Backward(dy, x, weight, 0, c, Epsilon, false);
        foreach (bool accumulate in (bool[])[false, true])
        {
            Tensor tdx = accumulate ? host.Put(before, new Shape(M, c)) : host.Poisoned(new Shape(M, c));
            Tensor tdweight = accumulate ? default : host.Put(parameterBefore, new Shape(c));
            host.Backend.RmsNormBackward(tdy, tx, tweight, rstd, tdx, accumulate, tdweight);
            RowOperationHost.AssertClose(accumulate ? RowOperationHost.Sum(dx, before) : dx, RowOperationHost.Read(tdx), 2e-6);
            if (!accumulate)
            {
                RowOperationHost.AssertClose(RowOperationHost.Sum(dweight, parameterBefore), RowOperationHost.Read(tdweight), 2e-6);
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(33)]
    public void GradientsAreThoseOfTheForwardPass(int c)
    {
        const int B = 2, S = 3;
        double[] x = RowOperationHost.Normal(1, B * S * c), shift = RowOperationHost.Normal(2, B * c), scale = RowOperationHost.Normal(3, B * c);
        double[] dy = RowOperationHost.Normal(4, B * S * c), weight = RowOperationHost.Normal(5, c);
        const float epsilon = 1e-2f;
        using RowOperationHost host = new(1);
        Tensor tx = host.Put(x, new Shape(B, S, c)), tscale = host.Put(scale, new Shape(B, c)), tdy = host.Put(dy, new Shape(B, S, c)), tweight = host.Put(weight, new Shape(c));
        Tensor y = host.Poisoned(new Shape(B, S, c)), stats = host.Poisoned(new Shape(B * S, 2)), rstd = host.Poisoned(new Shape(B * S));
        Tensor dx = host.Poisoned(new Shape(B, S, c)), dshift = host.Put(new double[B * c], new Shape(B, c)), dscale = host.Put(new double[B * c], new Shape(B, c));
        host.Backend.AdaLn(tx, host.Put(shift, new Shape(B, c)), tscale, y, stats, epsilon);
        host.Backend.AdaLnBackward(tdy, tx, tscale, stats, dx, false, dshift, dscale);
        Check(v => NormReference.LayerNorm(v, scale, shift, 1, c, epsilon), x, dx);
        Check(v => NormReference.LayerNorm(x, v, shift, 1, c, epsilon), scale, dscale);
        Check(v => NormReference.LayerNorm(x, scale, v, 1, c, epsilon), shift, dshift);

        Tensor dweight = host.Put(new double[c], new Shape(c)), dbias = host.Put(new double[c], new Shape(c));
        host.Backend.LayerNormBackward(tdy, tx, tweight, stats, dx, false, dweight, dbias);
        Check(v => NormReference.LayerNorm(v, weight, weight, 0, c, epsilon), x, dx);
        Check(v => NormReference.LayerNorm(x, v, weight, 0, c, epsilon), weight, dweight);
        Check(v => NormReference.LayerNorm(x, weight, v, 0, c, epsilon), weight, dbias);

        dweight = host.Put(new double[c], new Shape(c));
        host.Backend.RmsNorm(tx, tweight, y, rstd, epsilon);
        host.Backend.RmsNormBackward(tdy, tx, tweight, rstd, dx, false, dweight);
        Check(v => NormReference.RmsNorm(v, weight, c, epsilon), x, dx);
        Check(v => NormReference.RmsNorm(x, v, c, epsilon), weight, dweight);

        void Check(Func<double[], double[]> forward, double[] at, Tensor gradient) =>
            RowOperationHost.AssertClose(RowOperationHost.FiniteDifferences(v => RowOperationHost.Dot(dy, forward(v)), at), RowOperationHost.Read(gradient), 2e-6);
    }

    [Fact]
    public void VarianceOfRowsFarFromZeroIsKept()
    {
        const int c = 128;
        using RowOperationHost host = new(1);
        double[] x = RowOperationHost.Normal(1, 4 * c, 1, 4096), zero = new double[c];
        Tensor y = host.Poisoned(new Shape(4, c)), one = host.Put(Enumerable.Repeat(1.0, c).ToArray(), new Shape(c));
        host.Backend.LayerNorm(host.Put(x, new Shape(4, c)), one, host.Put(zero, new Shape(c)), y, host.Poisoned(new Shape(4, 2)), Epsilon);

        // The mean itself is rounded to an ulp of 4096, 5e-4, which shifts a row as a whole; the difference of two squares would lose everything.
        RowOperationHost.AssertClose(NormReference.LayerNorm(x, Enumerable.Repeat(1.0, c).ToArray(), zero, 0, c, Epsilon), RowOperationHost.Read(y), 5e-4);
    }

    [Theory]
    [InlineData(33)]
    [InlineData(128)]
    [InlineData(1024)]
    public void BitsDoNotDependOnThreadsOrBatchSplit(int c)
    {
        const int B = 5, S = 50;
        double[] x = RowOperationHost.Normal(1, B * S * c), shift = RowOperationHost.Normal(2, B * c), scale = RowOperationHost.Normal(3, B * c), dy = RowOperationHost.Normal(4, B * S * c);
        float[][] expected = Run(1, 0, B);
        foreach (int threads in (int[])[2, 3])
        {
            float[][] actual = Run(threads, 0, B);
            for (int i = 0; i < expected.Length; i++)
            {
                RowOperationHost.AssertSameBits(expected[i], actual[i]);
            }
        }

        foreach ((int first, int count) in ((int, int)[])[(0, 1), (1, 3), (4, 1)])
        {
            float[][] part = Run(2, first, count);
            for (int i = 0; i < expected.Length - 1; i++)
            {
                int perImage = expected[i].Length / B;
                RowOperationHost.AssertSameBits(expected[i].AsSpan(first * perImage, count * perImage), part[i]);
            }
        }

        float[][] Run(int threads, int first, int images)
        {
            using RowOperationHost host = new(threads);
            double[] Slice(double[] all, int perImage) => all.AsSpan(first * perImage, images * perImage).ToArray();
            Shape tokens = new(images, S, c), vectors = new(images, c);
            Tensor tx = host.Put(Slice(x, S * c), tokens, 1), tdy = host.Put(Slice(dy, S * c), tokens), tscale = host.Put(Slice(scale, c), vectors, 2);
            Tensor weight = host.Put(scale.AsSpan(0, c).ToArray(), new Shape(c));
            Tensor y = host.Poisoned(tokens), stats = host.Poisoned(new Shape(images * S, 2)), dx = host.Poisoned(tokens);
            Tensor dshift = host.Put(new double[images * c], vectors), dscale = host.Put(new double[images * c], vectors);
            host.Backend.AdaLn(tx, host.Put(Slice(shift, c), vectors, 3), tscale, y, stats, Epsilon);
            host.Backend.AdaLnBackward(tdy, tx, tscale, stats, dx, false, dshift, dscale);
            Tensor ry = host.Poisoned(tokens), rstd = host.Poisoned(new Shape(images * S)), rdx = host.Poisoned(tokens), dweight = host.Put(new double[c], new Shape(c));
            host.Backend.RmsNorm(tx, weight, ry, rstd, Epsilon);
            host.Backend.RmsNormBackward(tdy, tx, weight, rstd, rdx, false, dweight);

            // The gradient of the shared weight comes last: it sums over the batch and so is compared for threads only.
            return [.. new[] { y, stats, dx, dshift, dscale, ry, rstd, rdx, dweight }.Select(RowOperationHost.Read)];
        }
    }

    [Fact]
    public void WrongShapesAreRefused()
    {
        using RowOperationHost host = new(1);
        Tensor x = host.Poisoned(new Shape(2, 3, 8)), vector = host.Poisoned(new Shape(4, 8)), stats = host.Poisoned(new Shape(6, 2));
        Assert.Throws<TensorException>(() => host.Backend.AdaLn(x, vector, vector, x, stats, Epsilon));
        Assert.Throws<TensorException>(() => host.Backend.RmsNorm(x, host.Poisoned(new Shape(7)), x, host.Poisoned(new Shape(6)), Epsilon));
        Assert.Throws<TensorException>(() => host.Backend.LayerNorm(x, host.Poisoned(new Shape(8)), default, x, stats, Epsilon));
    }
}
