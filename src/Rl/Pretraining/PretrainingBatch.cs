using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Rl.Pretraining;

/// <summary>
/// One batch of masked pictures on the host, drawn anew for each step. Picture i of step t depends on (seed, t, i) alone, so a resumed run
/// sees the same data.
/// </summary>
internal sealed class PretrainingBatch
{
    private readonly IPictureSource _source;
    private readonly int _maskToken;
    private readonly int[] _permutation;

    public PretrainingBatch(IPictureSource source, int size, int maskToken)
    {
        _source = source;
        _maskToken = maskToken;
        Size = size;
        CodeCount = source.GridHeight * source.GridWidth;
        TextIds = new int[size * source.TextLength];
        Codes = new int[size * CodeCount];
        Canvas = new int[size * CodeCount];
        MaskedFractions = new float[size];
        Rows = new int[size * CodeCount];
        Labels = new int[size * CodeCount];
        FirstRow = new int[size + 1];
        _permutation = new int[CodeCount];
    }

    public int Size { get; }

    public int CodeCount { get; }

    public int[] TextIds { get; }

    public int[] Codes { get; }

    /// <summary>Codes with the mask token at masked positions.</summary>
    public int[] Canvas { get; }

    public float[] MaskedFractions { get; }

    /// <summary>Masked positions of picture i, as b*N + position in the whole batch: entries [FirstRow[i], FirstRow[i+1]), ascending.</summary>
    public int[] Rows { get; }

    /// <summary>The code at each of <see cref="Rows"/>.</summary>
    public int[] Labels { get; }

    public int[] FirstRow { get; }

    /// <summary>
    /// Draws the batch of <paramref name="step"/>. The mask ratio is cos(πu/2) with u uniform (the arccos law, specs/meissonic.md 7), at least
    /// one position, without replacement; with probability <paramref name="textDropout"/> the prompt is empty.
    /// </summary>
    public void Draw(ulong seed, long step, double textDropout)
    {
        int rows = 0;
        int length = _source.TextLength;
        for (int i = 0; i < Size; i++)
        {
            ulong picture = ((ulong)step << 20) | (uint)i;
            var draw = new RandomSequence(seed, RandomStream.Pictures, picture);
            Span<int> ids = TextIds.AsSpan(i * length, length);
            Span<int> codes = Codes.AsSpan(i * CodeCount, CodeCount);
            _source.Draw(ref draw, ids, codes);
            var dropout = new RandomSequence(seed, RandomStream.TextDropout, picture);
            if (dropout.NextDouble() < textDropout)
            {
                _source.EmptyPrompt.CopyTo(ids);
            }

            var masking = new RandomSequence(seed, RandomStream.Masking, picture);
            int count = Math.Max(1, (int)Math.Round(CodeCount * Math.Cos(Math.PI / 2 * masking.NextDouble())));
            for (int p = 0; p < CodeCount; p++)
            {
                _permutation[p] = p;
            }

            for (int p = 0; p < count; p++)
            {
                int other = p + masking.Next(CodeCount - p);
                (_permutation[p], _permutation[other]) = (_permutation[other], _permutation[p]);
            }

            Span<int> masked = _permutation.AsSpan(0, count);
            masked.Sort();
            Span<int> canvas = Canvas.AsSpan(i * CodeCount, CodeCount);
            codes.CopyTo(canvas);
            FirstRow[i] = rows;
            foreach (int position in masked)
            {
                canvas[position] = _maskToken;
                Labels[rows] = codes[position];
                Rows[rows++] = (i * CodeCount) + position;
            }

            MaskedFractions[i] = (float)count / CodeCount;
        }

        FirstRow[Size] = rows;
    }
}
