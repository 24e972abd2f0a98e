using CoGrpo.Runtime;

namespace CoGrpo.Tests.Runtime;

public sealed class GridOperationTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(16)]
    [InlineData(33)]
    [InlineData(128)]
    public void SpaceToDepthFollowsTheConvolutionWeightOrder(int c)
    {
        const int B = 2, H = 6, W = 10;
        double[] x = RowOperationHost.Normal(1, B * H * W * c);
        using RowOperationHost host = new(3);
        Tensor tx = host.Put(x, new Shape(B, H, W, c), 1), y = host.Poisoned(new Shape(B, H / 2, W / 2, 4 * c), 3), back = host.Poisoned(new Shape(B, H, W, c), 2);
        host.Backend.SpaceToDepth(tx, y);
        host.Backend.DepthToSpace(y, back);
        float[] deep = RowOperationHost.Read(y);
        for (int i = 0; i < x.Length; i++)
        {
            int channel = i % c, column = i / c % W, row = i / c / W % H, image = i / c / W / H;
            int pixel = (((image * H / 2) + (row / 2)) * W / 2) + (column / 2);
            Assert.Equal((float)x[i], deep[(pixel * 4 * c) + (channel * 4) + (2 * (row & 1)) + (column & 1)]);
        }

        RowOperationHost.AssertSameBits(RowOperationHost.Read(tx), RowOperationHost.Read(back));
        RowOperationHost.AssertPaddingUntouched(y);
        RowOperationHost.AssertPaddingUntouched(back);
        Assert.Throws<TensorException>(() => host.Backend.SpaceToDepth(y, tx));
    }

    [Theory]
    [InlineData(1, 4, 4)]
    [InlineData(5, 3, 7)]
    [InlineData(16, 8, 8)]
    [InlineData(33, 5, 2)]
    [InlineData(128, 1, 1)]
    [InlineData(16, 37, 3)]
    public void DepthwiseConvMatchesFp64(int c, int h, int w)
    {
        const int B = 3;
        int oh = (h + 1) / 2, ow = (w + 1) / 2;
        double[] x = RowOperationHost.Normal(1, B * h * w * c), weight = RowOperationHost.Normal(2, 9 * c), bias = RowOperationHost.Normal(3, c);
        double[] dy = RowOperationHost.Normal(4, B * oh * ow * c), dweight = RowOperationHost.Normal(5, 9 * c), dbias = RowOperationHost.Normal(6, c);
        double[] y = new double[dy.Length], dx = new double[x.Length], weightBefore = (double[])dweight.Clone(), biasBefore = (double[])dbias.Clone();
        for (int i = 0; i < y.Length; i++)
        {
            int channel = i % c, ox = i / c % ow, oy = i / c / ow % oh, image = i / c / ow / oh;
            y[i] = bias[channel];
            dbias[channel] += dy[i];
            for (int tap = 0; tap < 9; tap++)
            {
                int iy = (2 * oy) - 1 + (tap / 3), ix = (2 * ox) - 1 + (tap % 3);
                if (iy >= 0 && ix >= 0 && iy < h && ix < w)
                {
                    int j = (((((image * h) + iy) * w) + ix) * c) + channel;
                    y[i] += x[j] * weight[(channel * 9) + tap];
                    dx[j] += dy[i] * weight[(channel * 9) + tap];
                    dweight[(channel * 9) + tap] += dy[i] * x[j];
                }
            }
        }

        float[][]? bits = null;
        for (int threads = 1; threads <= 3; threads++)
        {
            using RowOperationHost host = new(threads);
            Tensor tx = host.Put(x, new Shape(B, h, w, c), 1), tweight = host.Put(weight, new Shape(c, 1, 3, 3)), ty = host.Poisoned(new Shape(B, oh, ow, c), 2);
            host.Backend.DepthwiseConv(tx, tweight, host.Put(bias, new Shape(c)), ty);
            RowOperationHost.AssertClose(y, RowOperationHost.Read(ty), 1e-6);
            Tensor tdy = host.Put(dy, new Shape(B, oh, ow, c)), tdx = host.Poisoned(new Shape(B, h, w, c), 3);
            Tensor tdweight = host.Put(weightBefore, new Shape(c, 1, 3, 3)), tdbias = host.Put(biasBefore, new Shape(c));
            host.Backend.DepthwiseConvBackward(tdy, tx, tweight, tdx, tdweight, tdbias);
            RowOperationHost.AssertClose(dx, RowOperationHost.Read(tdx), 1e-6);
            RowOperationHost.AssertClose(dweight, RowOperationHost.Read(tdweight), 2e-6);
            RowOperationHost.AssertClose(dbias, RowOperationHost.Read(tdbias), 1e-6);
            float[][] now = [RowOperationHost.Read(ty), RowOperationHost.Read(tdx), RowOperationHost.Read(tdweight), RowOperationHost.Read(tdbias)];
            bits ??= now;
            for (int i = 0; i < now.Length; i++)
            {
                RowOperationHost.AssertSameBits(bits[i], now[i]);
            }
        }
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(5, 2, 3)]
    [InlineData(33, 6, 6)]
    [InlineData(128, 3, 2)]
    public void AreaMeanAndItsGradient(int c, int h, int w)
    {
        const int B = 2, H = 6, W = 6;
        double[] x = RowOperationHost.Normal(1, B * H * W * c), dy = RowOperationHost.Normal(2, B * h * w * c), y = new double[dy.Length], dx = new double[x.Length];
        double count = H / h * (W / w);
        for (int i = 0; i < x.Length; i++)
        {
            int channel = i % c, column = i / c % W, row = i / c / W % H, image = i / c / W / H;
            int j = (((((image * h) + (row / (H / h))) * w) + (column / (W / w))) * c) + channel;
            y[j] += x[i] / count;
            dx[i] = dy[j] / count;
        }

        using RowOperationHost host = new(2);
        Tensor ty = host.Poisoned(new Shape(B, h, w, c), 1), tdx = host.Poisoned(new Shape(B, H, W, c), 2);
        host.Backend.AreaMean(host.Put(x, new Shape(B, H, W, c), 3), ty);
        host.Backend.AreaMeanBackward(host.Put(dy, new Shape(B, h, w, c)), tdx);
        RowOperationHost.AssertClose(y, RowOperationHost.Read(ty), 1e-6);
        RowOperationHost.AssertClose(dx, RowOperationHost.Read(tdx), 1e-7);
        RowOperationHost.AssertPaddingUntouched(tdx);
    }
}
