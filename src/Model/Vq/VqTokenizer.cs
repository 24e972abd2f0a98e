using CoGrpo.Model.Images;
using CoGrpo.Model.Tokenizers;
using CoGrpo.Runtime;

namespace CoGrpo.Model.Vq;

/// <summary>
/// Pictures of one size to the codes of a <see cref="VqModel"/> and back. A byte v is the value v / 255 on the way in; on the way out values are cut
/// to [0,1], multiplied by 255 and rounded, halves to even, all in fp32 as the original pipeline does. Any picture of the size can be encoded.
/// </summary>
public sealed class VqTokenizer : IImageTokenizer, IDisposable
{
    private readonly VqModel _model;
    private readonly Arena _arena;
    private readonly Tensor _picture;
    private readonly Tensor _codes;
    private readonly float[] _values;

    /// <summary>
    /// A tokenizer of pictures of <paramref name="gridHeight"/> x <paramref name="gridWidth"/> codes. The model stays the caller's and must outlive
    /// it.
    /// </summary>
    /// <param name="model">The weights.</param>
    /// <param name="gridHeight">Rows of codes.</param>
    /// <param name="gridWidth">Columns of codes.</param>
    /// <param name="maskId">The id that the masked model puts where a code is not yet decided: the last of its vocabulary.</param>
    public VqTokenizer(VqModel model, int gridHeight, int gridWidth, int maskId)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(gridHeight);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(gridWidth);
        ArgumentOutOfRangeException.ThrowIfLessThan(maskId, model.Config.NumVqEmbeddings);
        _model = model;
        GridHeight = gridHeight;
        GridWidth = gridWidth;
        MaskId = maskId;
        _arena = model.Backend.CreateArena("pictures", 1 << 16);
        _picture = _arena.Allocate(new Shape(1, PictureHeight, PictureWidth, 3));
        _codes = _arena.Allocate(new Shape(1, gridHeight, gridWidth), ElementType.Int32);
        _values = new float[_picture.Shape.Count];
    }

    /// <inheritdoc/>
    public int GridHeight { get; }

    /// <inheritdoc/>
    public int GridWidth { get; }

    /// <inheritdoc/>
    public int CodebookSize => _model.Config.NumVqEmbeddings;

    /// <inheritdoc/>
    public int MaskId { get; }

    /// <inheritdoc/>
    public int PictureHeight => GridHeight * _model.Config.Factor;

    /// <inheritdoc/>
    public int PictureWidth => GridWidth * _model.Config.Factor;

    /// <inheritdoc/>
    public void Encode(ReadOnlySpan<byte> rgb, Span<int> codes)
    {
        CheckLengths(codes.Length, rgb.Length);
        for (int i = 0; i < rgb.Length; i++)
        {
            _values[i] = rgb[i] / 255f;
        }

        _model.Backend.Upload<float>(_values, _picture);
        _model.Backend.Download(_model.Encode(_picture), codes);
    }

    /// <inheritdoc/>
    public void Decode(ReadOnlySpan<int> codes, Span<byte> rgb)
    {
        CheckLengths(codes.Length, rgb.Length);
        for (int i = 0; i < codes.Length; i++)
        {
            if ((uint)codes[i] >= (uint)CodebookSize)
            {
                throw new ArgumentException($"codes: wanted codes in [0,{CodebookSize}), got {codes[i]} in row {i / GridWidth}, column {i % GridWidth}; decode finished pictures only", nameof(codes));
            }
        }

        _model.Backend.Upload(codes, _codes);
        _model.Backend.Download<float>(_model.Decode(_codes), _values);
        for (int i = 0; i < rgb.Length; i++)
        {
            rgb[i] = ToByte(_values[i]);
        }
    }

    /// <summary>The picture of finished codes.</summary>
    /// <exception cref="ArgumentException">There are too few or too many, or one is outside the codebook.</exception>
    public RgbImage Decode(ReadOnlySpan<int> codes)
    {
        var image = new RgbImage(PictureWidth, PictureHeight);
        Decode(codes, image.Pixels);
        return image;
    }

    /// <summary>The codes of a picture.</summary>
    /// <exception cref="ArgumentException">The picture has another size.</exception>
    public int[] Encode(RgbImage picture)
    {
        ArgumentNullException.ThrowIfNull(picture);
        if (picture.Width != PictureWidth || picture.Height != PictureHeight)
        {
            throw new ArgumentException(
                $"picture: wanted {PictureWidth} x {PictureHeight}, got {picture.Width} x {picture.Height}; cut or scale it first",
                nameof(picture)
            );
        }

        int[] codes = new int[GridHeight * GridWidth];
        Encode(picture.Pixels, codes);
        return codes;
    }

    /// <summary>Frees the picture; the model stays.</summary>
    public void Dispose() => _arena.Dispose();

    /// <summary>A value of the decoder as a byte; 0 for what is not a number.</summary>
    internal static byte ToByte(float value) => value > 0 ? (byte)MathF.Round(MathF.Min(value, 1f) * 255f, MidpointRounding.ToEven) : (byte)0;

    private void CheckLengths(int codes, int bytes)
    {
        if (codes != GridHeight * GridWidth)
        {
            throw new ArgumentException(
                $"codes: wanted {GridHeight * GridWidth} ({GridHeight} x {GridWidth}), got {codes}; pass one picture at a time",
                nameof(codes)
            );
        }

        if (bytes != _values.Length)
        {
            throw new ArgumentException($"rgb: wanted {_values.Length} bytes ({PictureHeight} x {PictureWidth} x 3), got {bytes}; pass RGB without alpha, one picture at a time", "rgb");
        }
    }
}
