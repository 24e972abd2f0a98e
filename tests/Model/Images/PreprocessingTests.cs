using System.Text.Json;
using CoGrpo.Model;
using CoGrpo.Model.Images;
using CoGrpo.Tests.Fixtures;

namespace CoGrpo.Tests.Model.Images;

public sealed class PreprocessingTests
{
    public static TheoryData<int, int> CropCases => Cases("image-reward");

    public static TheoryData<int, int> PadCases => Cases("open-clip");

    [Theory]
    [MemberData(nameof(CropCases))]
    [Trait("Category", "fixtures")]
    public void Resizing_crop_and_normalisation_equal_the_originals_to_the_last_bit(int index, int target)
    {
        var golden = new FixtureFile(FixtureFolder.At("image-reward", "preprocess.safetensors"));
        var preprocessing = new CropPreprocessing(target);
        RgbImage image = Image(golden, index);
        RgbImage resized = preprocessing.Resize(image);
        Assert.Equal([resized.Height, resized.Width, 3], golden.Shape($"resized_u8.{index}"));
        Assert.Equal(Array.ConvertAll(golden.Ints($"resized_u8.{index}"), x => (byte)x), resized.Pixels);
        Assert.Equal(Array.ConvertAll(golden.Ints($"cropped_u8.{index}"), x => (byte)x), preprocessing.Crop(resized).Pixels);
        if (golden.Has($"pixels.{index}"))
        {
            var pixels = new float[3 * target * target];
            preprocessing.Apply(image, pixels);
            Assert.Equal(golden.Floats($"pixels.{index}").Select(BitConverter.SingleToInt32Bits), pixels.Select(BitConverter.SingleToInt32Bits));
        }
    }

    /// <summary>
    /// Our own golden values are met to the last bit; others may come from another build of PyTorch, whose last bits differ by less than 2e-6.
    /// </summary>
    [Theory]
    [MemberData(nameof(PadCases))]
    [Trait("Category", "fixtures")]
    public void Tensor_resizing_padding_and_normalisation_equal_the_originals(int index, int target)
    {
        var golden = new FixtureFile(FixtureFolder.At("open-clip", "preprocess.safetensors"));
        float allowed = Environment.GetEnvironmentVariable("COGRPO_FIXTURES") is { Length: > 0 } ? 2e-6f : 0;
        foreach ((string name, bool antialias) in new[] { ("antialias", true), ("noantialias", false) })
        {
            var preprocessing = new PadPreprocessing(antialias, target);
            var pixels = new float[3 * target * target];
            preprocessing.ResizeAndPad(Image(golden, index), pixels);
            float resized = Largest(golden.Floats($"{name}.resized.{index}"), pixels);
            preprocessing.Apply(Image(golden, index), pixels);
            float normalised = Largest(golden.Floats($"{name}.{index}"), pixels);
            Assert.True(resized <= allowed && normalised <= 4 * allowed, $"{name}.{index}: {resized} before and {normalised} after normalisation");
        }
    }

    [Theory]
    [InlineData(1, 1, 5, 3)]
    [InlineData(2, 7, 1, 1)]
    [InlineData(17, 23, 5, 31)]
    [InlineData(40, 9, 13, 9)]
    [InlineData(9, 40, 9, 6)]
    [InlineData(100, 3, 7, 50)]
    [InlineData(6, 6, 6, 6)]
    public void Resizing_equals_a_plain_transcription_of_Pillows_formulas(int width, int height, int newWidth, int newHeight)
    {
        var random = new Random(width + (100 * height));
        var image = new RgbImage(width, height);
        random.NextBytes(image.Pixels);
        RgbImage resized = PillowResize.Bicubic(image, newWidth, newHeight);
        Assert.Equal((newWidth, newHeight), (resized.Width, resized.Height));
        Assert.Equal(Plain(image, newWidth, newHeight), resized.Pixels);
    }

    [Theory]
    [InlineData(1024, 1024)]
    [InlineData(300, 1000)]
    [InlineData(50, 20)]
    public void A_picture_of_one_colour_stays_so(int width, int height)
    {
        var image = new RgbImage(width, height);
        image.Fill(255, 128, 3);
        var crop = new CropPreprocessing();
        Assert.All(crop.Crop(crop.Resize(image)).Pixels.Chunk(3), p => Assert.Equal(new byte[] { 255, 128, 3 }, p));

        // Inside the padding. Weights of the tensor resizings sum to 1 within rounding.
        var pixels = new float[3 * 224 * 224];
        foreach (bool antialias in new[] { true, false })
        {
            new PadPreprocessing(antialias).ResizeAndPad(image, pixels);
            Assert.Equal(128 / 255f, pixels[(224 * 224) + (112 * 224) + 112], 1e-6f);
        }
    }

    [Fact]
    public void Shrinking_1024_to_224_pixels_takes_at_most_21_taps() =>
        Assert.InRange(Enumerable.Range(0, 224).Max(i => BicubicTaps.Pillow(1024, 224).Weights(i).Length), 18, 21);

    [Theory]
    [InlineData(7, 0)]
    [InlineData(9, 2)]
    [InlineData(11, 2)]
    [InlineData(13, 4)]
    [InlineData(12, 3)]
    public void The_crop_halves_odd_remainders_to_the_even_number(int width, int left)
    {
        var image = new RgbImage(width, 6);
        for (int x = 0; x < width; x++)
        {
            image.Pixels[3 * x] = (byte)x;
        }

        Assert.Equal(left, new CropPreprocessing(6).Crop(image).Pixels[0]);
    }

    [Theory]
    [InlineData(8, 4, 0, 2, 8, 4)]
    [InlineData(4, 16, 3, 0, 2, 8)]
    [InlineData(16, 10, 0, 1, 8, 5)]
    [InlineData(8, 3, 0, 2, 8, 3)]
    [InlineData(16, 5, 0, 3, 8, 2)]
    [InlineData(16, 7, 0, 2, 8, 4)]
    public void Padding_stands_around_the_picture_and_the_larger_half_below(int width, int height, int left, int top, int inWidth, int inHeight)
    {
        var image = new RgbImage(width, height);
        image.Fill(255, 255, 255);
        var pixels = new float[3 * 8 * 8];
        new PadPreprocessing(antialias: true, 8).ResizeAndPad(image, pixels);
        for (int i = 0; i < pixels.Length; i++)
        {
            (int x, int y) = (i % 8, i / 8 % 8);
            bool inside = x >= left && x < left + inWidth && y >= top && y < top + inHeight;
            Assert.Equal(inside ? 1f : 0f, pixels[i], 1e-6f);
        }
    }

    [Fact]
    public void A_picture_of_the_models_size_is_only_normalised()
    {
        var image = new RgbImage(5, 5);
        new Random(1).NextBytes(image.Pixels);
        foreach (
            IImagePreprocessing preprocessing in (IImagePreprocessing[])
                [new CropPreprocessing(5), new PadPreprocessing(true, 5), new PadPreprocessing(false, 5)]
        )
        {
            var pixels = new float[75];
            preprocessing.Apply(image, pixels);
            Assert.Equal(((image.Pixels[(3 * 7) + 2] / 255f) - 0.40821073f) / 0.27577711f, pixels[50 + 7]);
        }
    }

    [Fact]
    public void Wrong_rooms_and_pictures_without_a_shorter_side_are_refused()
    {
        var image = new RgbImage(1, 1000);
        Assert.Throws<ArgumentException>(() => new CropPreprocessing(4).Apply(image, new float[47]));
        Assert.Throws<ArgumentException>(() => new PadPreprocessing(true, 4).Apply(image, new float[49]));
        Assert.Contains("1 x 1000", Assert.Throws<ModelException>(() => new PadPreprocessing(true).Apply(image, new float[3 * 224 * 224])).Message,
            StringComparison.Ordinal);
        var line = new RgbImage(1, 100_000_000);
        Assert.Contains("1 x 100000000", Assert.Throws<ModelException>(() => new CropPreprocessing().Apply(line, new float[3 * 224 * 224])).Message,
            StringComparison.Ordinal);
    }

    private static byte[] Plain(RgbImage image, int width, int height)
    {
        byte[] across = image.Pixels;
        if (width != image.Width)
        {
            across = new byte[3 * width * image.Height];
            for (int i = 0; i < across.Length; i++)
            {
                (int c, int x, int y) = (i % 3, i / 3 % width, i / 3 / width);
                across[i] = Sample(image.Width, width, x, at => image.Pixels[(3 * ((y * image.Width) + at)) + c]);
            }
        }

        if (height == image.Height)
        {
            return across;
        }

        var down = new byte[3 * width * height];
        for (int i = 0; i < down.Length; i++)
        {
            (int c, int x, int y) = (i % 3, i / 3 % width, i / 3 / width);
            down[i] = Sample(image.Height, height, y, at => across[(3 * ((at * width) + x)) + c]);
        }

        return down;
    }

    private static byte Sample(int inputs, int outputs, int output, Func<int, byte> value)
    {
        double scale = (double)inputs / outputs;
        double stretch = Math.Max(scale, 1);
        double center = (output + 0.5) * scale;
        int first = Math.Max(0, (int)Math.Truncate(center - (2 * stretch) + 0.5));
        int end = Math.Min(inputs, (int)Math.Truncate(center + (2 * stretch) + 0.5));
        double[] weights = [.. Enumerable.Range(first, end - first).Select(t => Kernel(Math.Abs(t - center + 0.5) / stretch))];
        double sum = weights.Sum();
        long total = 1 << 21;
        for (int t = first; t < end; t++)
        {
            total += value(t) * (long)Math.Round(weights[t - first] / sum * (1 << 22), MidpointRounding.AwayFromZero);
        }

        return (byte)Math.Clamp(total >> 22, 0, 255);
    }

    private static double Kernel(double x) =>
        x < 1 ? (1.5 * x * x * x) - (2.5 * x * x) + 1
        : x < 2 ? (-0.5 * x * x * x) + (2.5 * x * x) - (4 * x) + 2
        : 0;

    private static RgbImage Image(FixtureFile file, int index)
    {
        int[] shape = file.Shape($"image.{index}");
        return new RgbImage(shape[1], shape[0], Array.ConvertAll(file.Ints($"image.{index}"), x => (byte)x));
    }

    private static float Largest(float[] golden, float[] got)
    {
        Assert.Equal(golden.Length, got.Length);
        return golden.Zip(got).Max(p => Math.Abs(p.First - p.Second));
    }

    private static TheoryData<int, int> Cases(string area)
    {
        var cases = new TheoryData<int, int>();
        foreach (JsonElement image in FixtureFolder.Json(area, "preprocess.json").GetProperty("images").EnumerateArray())
        {
            cases.Add(image.GetProperty("index").GetInt32(), image.GetProperty("target").GetInt32());
        }

        return cases;
    }
}
