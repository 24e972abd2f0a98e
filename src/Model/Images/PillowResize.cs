using System.Buffers.Binary;
using System.Runtime.Intrinsics;

namespace CoGrpo.Model.Images;

/// <summary>Bicubic resizing of 8-bit pictures, equal to Pillow's to the last bit: across first, then down, each pass rounded to 8 bits.</summary>
public static class PillowResize
{
    private const int Half = 1 << (BicubicTaps.PillowBits - 1);

    /// <summary>
    /// <paramref name="image"/> in another size. A pass that would keep its size is left out, as there; without any the picture itself is returned.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">A size is less than 1.</exception>
    public static RgbImage Bicubic(RgbImage image, int width, int height)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        RgbImage across = width == image.Width ? image : Across(image, BicubicTaps.Pillow(image.Width, width));
        return height == image.Height ? across : Down(across, BicubicTaps.Pillow(image.Height, height));
    }

    private static RgbImage Across(RgbImage image, ResizeTaps<int> taps)
    {
        var result = new RgbImage(taps.Outputs, image.Height);

        // One byte more than a row, so that each pixel can be read as four bytes, of which the last does not count.
        var row = new byte[(3 * image.Width) + 1];
        for (int y = 0; y < image.Height; y++)
        {
            image.Pixels.AsSpan(3 * image.Width * y, 3 * image.Width).CopyTo(row);
            Span<byte> target = result.Pixels.AsSpan(3 * taps.Outputs * y, 3 * taps.Outputs);
            for (int x = 0; x < taps.Outputs; x++)
            {
                ReadOnlySpan<int> places = taps.Places(x);
                ReadOnlySpan<int> weights = taps.Weights(x);
                Vector128<int> sum = Vector128.Create(Half);
                for (int j = 0; j < weights.Length; j++)
                {
                    Vector128<byte> pixel = Vector128.CreateScalar(BinaryPrimitives.ReadUInt32LittleEndian(row.AsSpan(3 * places[j]))).AsByte();
                    sum += Vector128.WidenLower(Vector128.WidenLower(pixel)).AsInt32() * weights[j];
                }

                Vector128<int> value = Vector128.Clamp(sum >> BicubicTaps.PillowBits, Vector128<int>.Zero, Vector128.Create(255));
                (target[3 * x], target[(3 * x) + 1], target[(3 * x) + 2]) = ((byte)value[0], (byte)value[1], (byte)value[2]);
            }
        }

        return result;
    }

    private static RgbImage Down(RgbImage image, ResizeTaps<int> taps)
    {
        int length = 3 * image.Width;
        var result = new RgbImage(image.Width, taps.Outputs);
        var sums = new int[length];
        for (int y = 0; y < taps.Outputs; y++)
        {
            sums.AsSpan().Fill(Half);
            ReadOnlySpan<int> weights = taps.Weights(y);
            for (int j = 0; j < weights.Length; j++)
            {
                AddRow(image.Pixels.AsSpan(length * taps.Places(y)[j], length), weights[j], sums);
            }

            Span<byte> target = result.Pixels.AsSpan(length * y, length);
            for (int i = 0; i < length; i++)
            {
                target[i] = (byte)Math.Clamp(sums[i] >> BicubicTaps.PillowBits, 0, 255);
            }
        }

        return result;
    }

    private static void AddRow(ReadOnlySpan<byte> row, int weight, Span<int> sums)
    {
        int i = 0;
        for (; i <= row.Length - Vector128<byte>.Count; i += Vector128<byte>.Count)
        {
            (Vector128<ushort> low, Vector128<ushort> high) = Vector128.Widen(Vector128.Create(row[i..]));
            Add(low, sums[i..]);
            Add(high, sums[(i + 8)..]);
        }

        for (; i < row.Length; i++)
        {
            sums[i] += row[i] * weight;
        }

        void Add(Vector128<ushort> values, Span<int> to)
        {
            (Vector128<uint> low, Vector128<uint> high) = Vector128.Widen(values);
            (Vector128.Create(to) + (low.AsInt32() * weight)).CopyTo(to);
            (Vector128.Create(to[4..]) + (high.AsInt32() * weight)).CopyTo(to[4..]);
        }
    }
}
