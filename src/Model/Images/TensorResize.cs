using System.Runtime.Intrinsics;

namespace CoGrpo.Model.Images;

/// <summary>
/// Bicubic resizing of pictures as fp32 tensors, as PyTorch's <c>interpolate</c> on the CPU: values from 0 to 1, across first, then down, nothing
/// rounded to 8 bits or clamped.
/// </summary>
/// <remarks>
/// Sums are taken in the order and with the fused steps of PyTorch's machine code (version 2.6, AVX2), so that results are equal to the last bit and
/// not only nearly. On every processor here a fused step is fused, in software where need be.
/// </remarks>
internal static class TensorResize
{
    /// <summary>Floats of a pixel: red, green, blue and one that does not count.</summary>
    public const int Stride = 4;

    /// <summary><paramref name="image"/> in another size, [height, width, <see cref="Stride"/>].</summary>
    public static float[] Bicubic(RgbImage image, int width, int height, bool antialias)
    {
        ResizeTaps<float> across = antialias ? BicubicTaps.Antialiased(image.Width, width) : BicubicTaps.Interpolated(image.Width, width);
        ResizeTaps<float> down = antialias ? BicubicTaps.Antialiased(image.Height, height) : BicubicTaps.Interpolated(image.Height, height);
        return Down(Across(image, across, antialias), Stride * width, down, antialias);
    }

    private static float[] Across(RgbImage image, ResizeTaps<float> taps, bool antialias)
    {
        var result = new float[Stride * taps.Outputs * image.Height];
        var row = new float[Stride * image.Width];
        for (int y = 0; y < image.Height; y++)
        {
            ReadOnlySpan<byte> pixels = image.Pixels.AsSpan(3 * image.Width * y, 3 * image.Width);
            for (int x = 0; x < image.Width; x++)
            {
                for (int c = 0; c < 3; c++)
                {
                    row[(Stride * x) + c] = pixels[(3 * x) + c] / 255f;
                }
            }

            for (int x = 0; x < taps.Outputs; x++)
            {
                Sum(row, Stride, taps, x, antialias).CopyTo(result, Stride * ((y * taps.Outputs) + x));
            }
        }

        return result;
    }

    private static float[] Down(float[] rows, int length, ResizeTaps<float> taps, bool antialias)
    {
        var result = new float[length * taps.Outputs];
        for (int y = 0; y < taps.Outputs; y++)
        {
            for (int i = 0; i < length; i += Stride)
            {
                Sum(rows.AsSpan(i), length, taps, y, antialias).CopyTo(result, (length * y) + i);
            }
        }

        return result;
    }

    /// <summary>The weighted sum of the pixels at the taps of an output; places are <paramref name="stride"/> floats apart.</summary>
    private static Vector128<float> Sum(ReadOnlySpan<float> line, int stride, ResizeTaps<float> taps, int output, bool antialias)
    {
        ReadOnlySpan<int> places = taps.Places(output);
        ReadOnlySpan<float> weights = taps.Weights(output);
        Vector128<float> sum = Vector128.Create(line[(stride * places[0])..]) * weights[0];
        int next = 1;
        if (antialias)
        {
            // Products in groups of four are rounded before they are added, those of the last incomplete group are not.
            for (int rounded = (weights.Length - 1) / 4 * 4; next <= rounded; next++)
            {
                sum += Vector128.Create(line[(stride * places[next])..]) * weights[next];
            }
        }
        else
        {
            // Of the first two products the second is rounded.
            sum = Vector128.FusedMultiplyAdd(Vector128.Create(line[(stride * places[0])..]), Vector128.Create(weights[0]),
                Vector128.Create(line[(stride * places[1])..]) * weights[1]);
            next = 2;
        }

        for (; next < weights.Length; next++)
        {
            sum = Vector128.FusedMultiplyAdd(Vector128.Create(line[(stride * places[next])..]), Vector128.Create(weights[next]), sum);
        }

        return sum;
    }
}
