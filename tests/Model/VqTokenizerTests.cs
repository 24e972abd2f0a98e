using CoGrpo.Model;
using CoGrpo.Model.Images;
using CoGrpo.Model.Tokenizers;
using CoGrpo.Model.Vq;
using CoGrpo.Runtime.Backends.Cpu;

namespace CoGrpo.Tests.Model;

/// <summary>Pictures and bytes around the picture model.</summary>
public sealed class VqTokenizerTests : IDisposable
{
    private static readonly VqConfig Config = new()
    {
        BlockOutChannels = [8, 16],
        DownBlockTypes = ["DownEncoderBlock2D", "DownEncoderBlock2D"],
        UpBlockTypes = ["UpDecoderBlock2D", "UpDecoderBlock2D"],
        LayersPerBlock = 1,
        NormNumGroups = 4,
        LatentChannels = 4,
        NumVqEmbeddings = 12,
    };

    private readonly CpuBackend _backend = new(1);
    private readonly VqModel _model;
    private readonly VqTokenizer _tokenizer;

    public VqTokenizerTests()
    {
        _model = new VqModel(Config, _backend);
        Initialisation.FromScratch(_model.Parameters, _backend, 3);
        _tokenizer = new VqTokenizer(_model, 3, 5, maskId: 13);
    }

    public void Dispose()
    {
        _tokenizer.Dispose();
        _model.Dispose();
        _backend.Dispose();
    }

    [Theory]
    [InlineData(-0.2f, 0)]
    [InlineData(float.NaN, 0)]
    [InlineData(1.7f, 255)]
    [InlineData(float.PositiveInfinity, 255)]
    [InlineData(0.5f, 128)]
    [InlineData(1.5f / 255f, 2)]
    [InlineData(2.5f / 255f, 2)]
    [InlineData(0.9999f, 255)]
    public void Values_are_cut_and_rounded_halves_to_even(float value, byte wanted) => Assert.Equal(wanted, VqTokenizer.ToByte(value));

    [Fact]
    public void Every_byte_comes_back_through_its_value() => Assert.All(Enumerable.Range(0, 256), v => Assert.Equal(v, VqTokenizer.ToByte(v / 255f)));

    [Fact]
    public void Sizes_are_those_of_the_grid_times_the_factor()
    {
        IImageTokenizer tokenizer = _tokenizer;
        Assert.Equal((3, 5, 15, 12, 13), (tokenizer.GridHeight, tokenizer.GridWidth, tokenizer.CodeCount, tokenizer.CodebookSize, tokenizer.MaskId));
        Assert.Equal((6, 10, 180), (tokenizer.PictureHeight, tokenizer.PictureWidth, tokenizer.PictureBytes));
    }

    [Fact]
    public void Pictures_and_spans_give_the_same()
    {
        int[] codes = [.. Enumerable.Range(0, 15).Select(i => i * 5 % 12)];
        RgbImage picture = _tokenizer.Decode(codes);
        byte[] rgb = new byte[180];
        ((IImageTokenizer)_tokenizer).Decode(codes, rgb);
        Assert.Equal(picture.Pixels, rgb);
        Assert.True(rgb.Distinct().Count() > 10);
        int[] again = new int[15];
        ((IImageTokenizer)_tokenizer).Encode(rgb, again);
        Assert.Equal(_tokenizer.Encode(picture), again);
        Assert.All(again, code => Assert.InRange(code, 0, 11));
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        int[] codes = new int[15];
        Assert.Contains(
            "wanted 15 (3 x 5), got 14",
            Assert.Throws<ArgumentException>(() => _tokenizer.Decode(codes.AsSpan(1))).Message,
            StringComparison.Ordinal
        );
        codes[7] = 13;
        Assert.Contains(
            "wanted codes in [0,12), got 13 in row 1, column 2",
            Assert.Throws<ArgumentException>(() => _tokenizer.Decode(codes)).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "wanted 10 x 6, got 6 x 10",
            Assert.Throws<ArgumentException>(() => _tokenizer.Encode(new RgbImage(6, 10))).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "wanted 180 bytes",
            Assert.Throws<ArgumentException>(() => ((IImageTokenizer)_tokenizer).Encode(new byte[179], codes)).Message,
            StringComparison.Ordinal
        );
        Assert.Throws<ArgumentOutOfRangeException>(() => new VqTokenizer(_model, 3, 5, maskId: 11));
    }
}
