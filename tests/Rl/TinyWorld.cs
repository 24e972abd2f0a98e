using CoGrpo.Model.Tokenizers;
using CoGrpo.Rl;
using CoGrpo.Rl.Pretraining;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Tests.Rl;

/// <summary>
/// Data around a <see cref="TinyRun"/>: five prompts, a code grid without pixels, pictures for pre-training. Allocates nothing once made.
/// </summary>
internal sealed class TinyWorld(int side) : IPromptSource, IImageTokenizer, IPictureSource
{
    private const int Length = 8;

    private static readonly int[] Empty = [1, 0, 0, 0, 0, 0, 0, 0];

    private static readonly TinyPrompt[] Prompts = [.. Enumerable.Range(0, 5).Select(i => new TinyPrompt($"prompt {i}"))];

    public int TextLength => Length;

    public int GridHeight => side;

    public int GridWidth => side;

    public int CodebookSize => 431;

    public int MaskId => 431;

    public int PictureHeight => side;

    public int PictureWidth => side;

    public ReadOnlySpan<int> EmptyPrompt => Empty;

    public IPrompt Draw(ref RandomSequence random) => Prompts[random.Next(Prompts.Length)];

    public void Encode(string text, Span<int> ids)
    {
        Empty.CopyTo(ids);
        for (int i = 0; i < Length && text.Length > 0; i++)
        {
            ids[i] = 2 + (((text[^1] * 7) + (i * (text[^1] + 3))) % 51);
        }
    }

    public void Draw(ref RandomSequence random, Span<int> textIds, Span<int> codes)
    {
        int prompt = random.Next(Prompts.Length);
        Encode(Prompts[prompt].Text, textIds);
        foreach (ref int code in codes)
        {
            code = (prompt * 80) + random.Next(40);
        }
    }

    public void Encode(ReadOnlySpan<byte> rgb, Span<int> codes) => throw new NotSupportedException();

    public void Decode(ReadOnlySpan<int> codes, Span<byte> rgb) => throw new NotSupportedException();
}

/// <summary>A prompt that is only text.</summary>
internal sealed record TinyPrompt(string Text) : IPrompt;

/// <summary>The share of codes divisible by three.</summary>
internal sealed class CodeShareReward : IReward
{
    public string Name => "share";

    public void Score(RewardBatch batch, Span<double> scores, CancellationToken cancellation = default)
    {
        for (int b = 0; b < scores.Length; b++)
        {
            int hits = 0;
            foreach (int code in batch.Codes(b))
            {
                hits += code % 3 == 0 ? 1 : 0;
            }

            scores[b] = hits / (double)batch.Codes(b).Length;
        }
    }
}

/// <summary>The same score for every picture.</summary>
internal sealed class ConstantReward : IReward
{
    public string Name => "constant";

    public void Score(RewardBatch batch, Span<double> scores, CancellationToken cancellation = default) => scores.Fill(0.28);
}
