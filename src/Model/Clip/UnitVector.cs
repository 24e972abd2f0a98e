namespace CoGrpo.Model.Clip;

/// <summary>Embeddings of length 1, in fp64.</summary>
internal static class UnitVector
{
    /// <summary>Each row of <paramref name="width"/> values divided by its length, or by 1e-12 where it is shorter.</summary>
    public static void Rows(ReadOnlySpan<float> values, int width, Span<double> unit)
    {
        for (int first = 0; first < values.Length; first += width)
        {
            double squares = 0;
            for (int i = first; i < first + width; i++)
            {
                squares += (double)values[i] * values[i];
            }

            double length = Math.Max(Math.Sqrt(squares), 1e-12);
            for (int i = first; i < first + width; i++)
            {
                unit[i] = values[i] / length;
            }
        }
    }

    /// <summary>Scalar product, of two vectors of length 1 their cosine.</summary>
    public static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }
}
