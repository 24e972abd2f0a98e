namespace CoGrpo.Model.Images;

/// <summary>The three bicubic resizings that the scoring models were trained and are judged with (specs/reward-models.md 1.6 and 2.4).</summary>
internal static class BicubicTaps
{
    /// <summary>Fractional bits of Pillow's integer weights.</summary>
    public const int PillowBits = 22;

    private const double Support = 2;

    /// <summary>Pillow's weights for 8-bit pixels: Keys' kernel with a = -0.5, stretched where the line shrinks, in fixed point.</summary>
    public static ResizeTaps<int> Pillow(int inputs, int outputs)
    {
        double scale = (double)inputs / outputs;
        double stretch = Math.Max(1, scale);
        double support = Support * stretch;
        int most = ((int)Math.Ceiling(support) * 2) + 1;
        var taps = new ResizeTaps<int>(outputs, most);
        var weights = new double[most];
        for (int i = 0; i < outputs; i++)
        {
            double center = (i + 0.5) * scale;
            int first = Math.Max(0, (int)(center - support + 0.5));
            int count = Math.Min(inputs, (int)(center + support + 0.5)) - first;
            taps.Claim(i, count);
            double sum = 0;
            for (int j = 0; j < count; j++)
            {
                weights[j] = Keys((j + first - center + 0.5) * (1 / stretch));
                sum += weights[j];
            }

            for (int j = 0; j < count; j++)
            {
                double weight = weights[j] / sum * (1 << PillowBits);
                taps.Places(i)[j] = first + j;
                taps.Weights(i)[j] = (int)(weight < 0 ? weight - 0.5 : weight + 0.5);
            }
        }

        return taps;
    }

    /// <summary>PyTorch's weights with antialiasing: as Pillow's, in fp32.</summary>
    /// <remarks>The steps in fp64 and the fused ones are those of PyTorch's own machine code; without them results differ in the last bits.</remarks>
    public static ResizeTaps<float> Antialiased(int inputs, int outputs)
    {
        float scale = (float)inputs / outputs;
        float stretch = Math.Max(1, scale);
        float support = (float)Support * stretch;
        var taps = new ResizeTaps<float>(outputs, ((int)MathF.Ceiling(support) * 2) + 1);
        for (int i = 0; i < outputs; i++)
        {
            float center = (float)(scale * (i + 0.5));
            int first = Math.Max(0, (int)(center - support + 0.5));
            int count = Math.Min(inputs, (int)(center + support + 0.5)) - first;
            taps.Claim(i, count);
            Span<float> weights = taps.Weights(i);
            float sum = 0;
            for (int j = 0; j < count; j++)
            {
                taps.Places(i)[j] = first + j;
                weights[j] = FusedKeys((float)((j + first - center + 0.5) * (1f / stretch)));
                sum += weights[j];
            }

            foreach (ref float weight in weights)
            {
                weight /= sum;
            }
        }

        return taps;
    }

    /// <summary>PyTorch's weights without antialiasing: four neighbours whatever the scale, a = -0.75, places held inside the line.</summary>
    public static ResizeTaps<float> Interpolated(int inputs, int outputs)
    {
        float scale = (float)inputs / outputs;
        var taps = new ResizeTaps<float>(outputs, 4);
        for (int i = 0; i < outputs; i++)
        {
            float source = MathF.FusedMultiplyAdd(scale, i + 0.5f, -0.5f);
            int floor = (int)MathF.Floor(source);
            float t = source - floor;
            taps.Claim(i, 4);
            Span<float> weights = taps.Weights(i);
            (weights[0], weights[1], weights[2], weights[3]) = (Outer(t + 1), Inner(t), Inner(1 - t), Outer(1 - t + 1));
            for (int j = 0; j < 4; j++)
            {
                taps.Places(i)[j] = Math.Clamp(floor - 1 + j, 0, inputs - 1);
            }
        }

        return taps;
    }

    private static double Keys(double x)
    {
        x = Math.Abs(x);
        return x < 1 ? (((1.5 * x) - 2.5) * x * x) + 1 : x < 2 ? ((((x - 5) * x) + 8) * x - 4) * -0.5 : 0;
    }

    private static float FusedKeys(float x)
    {
        x = MathF.Abs(x);
        return x < 1 ? MathF.FusedMultiplyAdd(MathF.FusedMultiplyAdd(1.5f, x, -2.5f) * x, x, 1)
            : x < 2 ? MathF.FusedMultiplyAdd(MathF.FusedMultiplyAdd(MathF.FusedMultiplyAdd(-0.5f, x, 2.5f), x, -4f), x, 2f)
            : 0;
    }

    private static float Inner(float x) => (((1.25f * x) - 2.25f) * x * x) + 1;

    private static float Outer(float x) => ((((-0.75f * x) + 3.75f) * x) - 6f) * x + 3f;
}
