namespace CoGrpo.Tests.Runtime;

/// <summary>The norms in fp64, written from their formulas without regard to speed.</summary>
internal static class NormReference
{
    /// <summary>LN(x) ⊙ (offset + multiplier[g]) + addend[g] with groups of equally many rows.</summary>
    public static double[] LayerNorm(double[] x, double[] multiplier, double[] addend, double offset, int columns, double epsilon)
    {
        double[] normal = Normalize(x, columns, epsilon, true);
        int perGroup = x.Length / (multiplier.Length / columns);
        return normal.Select((n, i) =>
        {
            int p = (i / perGroup * columns) + (i % columns);
            return (n * (offset + multiplier[p])) + addend[p];
        }).ToArray();
    }

    /// <summary>x ⊙ weight / sqrt(mean(x²) + eps).</summary>
    public static double[] RmsNorm(double[] x, double[] weight, int columns, double epsilon) =>
        Normalize(x, columns, epsilon, false).Select((n, i) => n * weight[i % columns]).ToArray();

    /// <summary>(dx, dmultiplier, daddend) of either norm for an upstream gradient dy.</summary>
    public static (double[] Dx, double[] Dmultiplier, double[] Daddend) Backward(
        double[] dy, double[] x, double[] multiplier, double offset, int columns, double epsilon, bool centred)
    {
        double[] normal = Normalize(x, columns, epsilon, centred);
        int perGroup = x.Length / (multiplier.Length / columns);
        double[] dx = new double[x.Length], dm = new double[multiplier.Length], da = new double[multiplier.Length];
        for (int start = 0; start < x.Length; start += columns)
        {
            double rstd = RootMeanSquareInverse(x.AsSpan(start, columns), epsilon, centred, out _);
            int p = start / perGroup * columns;
            double sumG = 0, sumGn = 0;
            for (int c = 0; c < columns; c++)
            {
                double g = dy[start + c] * (offset + multiplier[p + c]);
                sumG += centred ? g : 0;
                sumGn += g * normal[start + c];
                dm[p + c] += dy[start + c] * normal[start + c];
                da[p + c] += dy[start + c];
            }

            for (int c = 0; c < columns; c++)
            {
                double g = dy[start + c] * (offset + multiplier[p + c]);
                dx[start + c] = rstd * (g - (sumG / columns) - (normal[start + c] * sumGn / columns));
            }
        }

        return (dx, dm, da);
    }

    private static double[] Normalize(double[] x, int columns, double epsilon, bool centred)
    {
        double[] normal = new double[x.Length];
        for (int start = 0; start < x.Length; start += columns)
        {
            double rstd = RootMeanSquareInverse(x.AsSpan(start, columns), epsilon, centred, out double mean);
            for (int c = 0; c < columns; c++)
            {
                normal[start + c] = (x[start + c] - mean) * rstd;
            }
        }

        return normal;
    }

    private static double RootMeanSquareInverse(ReadOnlySpan<double> row, double epsilon, bool centred, out double mean)
    {
        mean = 0;
        foreach (double value in row)
        {
            mean += centred ? value / row.Length : 0;
        }

        double square = 0;
        foreach (double value in row)
        {
            square += (value - mean) * (value - mean) / row.Length;
        }

        return 1 / Math.Sqrt(square + epsilon);
    }
}
