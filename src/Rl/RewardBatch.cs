using CoGrpo.Model.Images;
using CoGrpo.Model.Tokenizers;

namespace CoGrpo.Rl;

/// <summary>Finished pictures and what each was asked to show. A view: it owns nothing and copies nothing.</summary>
public readonly ref struct RewardBatch
{
    private readonly ReadOnlySpan<IPrompt> _prompts;
    private readonly ReadOnlySpan<int> _codes;
    private readonly RgbImage?[]? _decoded;
    private readonly IImageTokenizer? _pictures;

    /// <summary>A batch of B prompts (one per picture; a group repeats its prompt) and B pictures of N codes each, row-major [B,N].</summary>
    /// <param name="prompts">[B].</param>
    /// <param name="codes">[B,N].</param>
    /// <param name="pictures">Codes to pictures.</param>
    /// <param name="decoded">Null, or [B] places that keep decoded pictures, so that several rewards decode each once; empty at first.</param>
    /// <exception cref="ArgumentException">The number of codes is not B times the tokenizer's N, or there are fewer places than pictures.</exception>
    public RewardBatch(ReadOnlySpan<IPrompt> prompts, ReadOnlySpan<int> codes, IImageTokenizer pictures, RgbImage?[]? decoded = null)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        if (codes.Length != (long)prompts.Length * pictures.CodeCount)
        {
            throw new ArgumentException(
                $"codes: wanted {prompts.Length} x {pictures.CodeCount}, got {codes.Length}; pass one prompt per picture",
                nameof(codes)
            );
        }

        if (decoded is not null && decoded.Length < prompts.Length)
        {
            throw new ArgumentException($"decoded: wanted {prompts.Length} places, one per picture, got {decoded.Length}", nameof(decoded));
        }

        _decoded = decoded;
        _prompts = prompts;
        _codes = codes;
        _pictures = pictures;
    }

    /// <summary>A batch of B prompts and their finished pictures, which have no codes: for rewards that look at pixels.</summary>
    /// <param name="prompts">[B].</param>
    /// <param name="pictures">[B], of any sizes.</param>
    /// <exception cref="ArgumentException">The numbers differ, or a picture is missing.</exception>
    public RewardBatch(ReadOnlySpan<IPrompt> prompts, RgbImage[] pictures)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        if (pictures.Length != prompts.Length || pictures.Contains(null))
        {
            throw new ArgumentException(
                $"pictures: wanted {prompts.Length}, one per prompt, got {pictures.Count(picture => picture is not null)} of {pictures.Length}",
                nameof(pictures)
            );
        }

        _decoded = pictures;
        _prompts = prompts;
    }

    /// <summary>Number of pictures, B.</summary>
    public int Count => _prompts.Length;

    /// <summary>Decodes the codes for rewards that look at pixels.</summary>
    /// <exception cref="InvalidOperationException">The batch is of finished pictures.</exception>
    public IImageTokenizer Pictures =>
        _pictures ?? throw new InvalidOperationException("codes were asked of a batch of finished pictures, which has none; look at the pixels");

    /// <summary>The prompt of picture <paramref name="b"/>.</summary>
    public IPrompt Prompt(int b) => _prompts[b];

    /// <summary>The N codes of picture <paramref name="b"/>.</summary>
    public ReadOnlySpan<int> Codes(int b) => _codes.Slice(b * Pictures.CodeCount, Pictures.CodeCount);

    /// <summary>Picture <paramref name="b"/>, decoded at the first call where the batch has places to keep it; not to be changed.</summary>
    public RgbImage Image(int b)
    {
        if (_decoded?[b] is { } kept)
        {
            return kept;
        }

        var image = new RgbImage(Pictures.PictureWidth, Pictures.PictureHeight);
        Picture(b, image.Pixels);
        if (_decoded is not null)
        {
            _decoded[b] = image;
        }

        return image;
    }

    /// <summary>Decodes picture <paramref name="b"/> into <paramref name="rgb"/>, <see cref="IImageTokenizer.PictureBytes"/> bytes.</summary>
    public void Picture(int b, Span<byte> rgb) => Pictures.Decode(Codes(b), rgb);

    /// <summary>Fails unless there is room for one score per picture.</summary>
    internal void CheckScores(int length)
    {
        if (length != Count)
        {
            throw new ArgumentException($"scores: wanted room for {Count}, one per picture, got {length}");
        }
    }
}
