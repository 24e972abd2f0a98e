using CoGrpo.Model.Tokenizers;

namespace CoGrpo.Rl;

/// <summary>Finished pictures and what each was asked to show. A view: it owns nothing and copies nothing.</summary>
public readonly ref struct RewardBatch
{
    private readonly ReadOnlySpan<IPrompt> _prompts;
    private readonly ReadOnlySpan<int> _codes;

    /// <summary>A batch of B prompts (one per picture; a group repeats its prompt) and B pictures of N codes each, row-major [B,N].</summary>
    /// <exception cref="ArgumentException">The number of codes is not B times the tokenizer's N.</exception>
    public RewardBatch(ReadOnlySpan<IPrompt> prompts, ReadOnlySpan<int> codes, IImageTokenizer pictures)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        if (codes.Length != (long)prompts.Length * pictures.CodeCount)
        {
            throw new ArgumentException($"codes: wanted {prompts.Length} x {pictures.CodeCount}, got {codes.Length}; pass one prompt per picture", nameof(codes));
        }

        _prompts = prompts;
        _codes = codes;
        Pictures = pictures;
    }

    /// <summary>Number of pictures, B.</summary>
    public int Count => _prompts.Length;

    /// <summary>Decodes the codes for rewards that look at pixels.</summary>
    public IImageTokenizer Pictures { get; }

    /// <summary>The prompt of picture <paramref name="b"/>.</summary>
    public IPrompt Prompt(int b) => _prompts[b];

    /// <summary>The N codes of picture <paramref name="b"/>.</summary>
    public ReadOnlySpan<int> Codes(int b) => _codes.Slice(b * Pictures.CodeCount, Pictures.CodeCount);

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
