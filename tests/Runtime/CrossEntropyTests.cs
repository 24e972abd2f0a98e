using CoGrpo.Runtime;

namespace CoGrpo.Tests.Runtime;

public sealed class CrossEntropyTests
{
    public static TheoryData<int> Widths => new(1, 5, 16, 33, 47, 128, 1000, 8192);

    [Theory]
    [MemberData(nameof(Widths))]
    public void MatchesFp64(int v)
    {
        MatchesFp64AtScale(v, 1);
        MatchesFp64AtScale(v, 20);
    }

    private static void MatchesFp64AtScale(int v, double scale)
    {
        const int R = 11;
        const float weight = 0.37f;
        double[] logits = RowOperationHost.Normal(1, R * v, scale, -30);
        int[] labels = [.. Enumerable.Range(0, R).Select(r => (r * 7919) % v)];
        double[] loss = [.. Enumerable.Range(0, R).Select(r => Loss(logits.AsSpan(r * v, v), labels[r]))];
        double[] gradient = new double[R * v];
        for (int i = 0; i < gradient.Length; i++)
        {
            int r = i / v;
            double p = Math.Exp(logits[i] - logits[(r * v) + labels[r]] - loss[r]);
            gradient[i] = weight * (p - (i % v == labels[r] ? 1 : 0));
        }

        float[][]? bits = null;
        for (int threads = 1; threads <= 3; threads++)
        {
            using RowOperationHost host = new(threads);
            Tensor tlogits = host.Put(logits, new Shape(R, v), 3), tlabels = host.Put(labels, new Shape(R));
            Tensor alone = host.Poisoned(new Shape(R)), tloss = host.Poisoned(new Shape(R)), tgradient = host.Poisoned(new Shape(R, v), 1);
            host.Backend.CrossEntropy(tlogits, tlabels, weight, alone, default);
            host.Backend.CrossEntropy(tlogits, tlabels, weight, tloss, tgradient);
            RowOperationHost.AssertClose(loss, RowOperationHost.Read(tloss), 5e-7);
            RowOperationHost.AssertClose(gradient, RowOperationHost.Read(tgradient), 1e-6, weight);
            RowOperationHost.AssertSameBits(RowOperationHost.Read(tloss), RowOperationHost.Read(alone));
            RowOperationHost.AssertPaddingUntouched(tgradient);
            host.Backend.CrossEntropy(tlogits, tlabels, weight, tloss, tlogits);
            RowOperationHost.AssertSameBits(RowOperationHost.Read(tgradient), RowOperationHost.Read(tlogits));
            float[][] now = [RowOperationHost.Read(tloss), RowOperationHost.Read(tlogits)];
            bits ??= now;
            RowOperationHost.AssertSameBits(bits[0], now[0]);
            RowOperationHost.AssertSameBits(bits[1], now[1]);
        }
    }

    [Fact]
    public void ExtremeLogitsAndNaN()
    {
        using RowOperationHost host = new(1);
        double[] logits = [.. Enumerable.Repeat(-1e30, 40)];
        logits[3] = 1e30;
        Tensor loss = host.Poisoned(new Shape(1)), gradient = host.Poisoned(new Shape(1, 40)), labels = host.Put([3], new Shape(1));
        host.Backend.CrossEntropy(host.Put(logits, new Shape(1, 40)), labels, 1f, loss, gradient);
        Assert.Equal(0f, RowOperationHost.Read(loss)[0]);
        Assert.All(RowOperationHost.Read(gradient), g => Assert.Equal(0f, g, 1e-30f));
        foreach (int position in (int[])[0, 17, 39])
        {
            double[] broken = (double[])logits.Clone();
            broken[position] = double.NaN;
            host.Backend.CrossEntropy(host.Put(broken, new Shape(1, 40)), labels, 1f, loss, default);
            Assert.True(float.IsNaN(RowOperationHost.Read(loss)[0]), $"NaN at {position} must not hide");
        }

        Assert.Throws<TensorException>(() => host.Backend.CrossEntropy(gradient, host.Put([40], new Shape(1)), 1f, loss, default));
    }

    private static double Loss(ReadOnlySpan<double> logits, int label)
    {
        double max = double.NegativeInfinity, sum = 0;
        foreach (double z in logits)
        {
            max = Math.Max(max, z);
        }

        foreach (double z in logits)
        {
            sum += Math.Exp(z - max);
        }

        return Math.Log(sum) + max - logits[label];
    }
}
