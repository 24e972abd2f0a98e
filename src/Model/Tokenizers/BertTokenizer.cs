using System.Runtime.InteropServices;
using System.Text;

namespace CoGrpo.Model.Tokenizers;

/// <summary>
/// Word-piece tokenizer of bert-base-uncased with the two tokens that BLIP adds (specs/reward-models.md 6.2): <c>[CLS]</c>, the text's ids cut to two
/// less than <see cref="Length"/>, <c>[SEP]</c>, padding 0. Every text can be written; what no pieces make becomes <c>[UNK]</c>. Special tokens in a
/// text, written as they are, stand for themselves. Shared between threads.
/// </summary>
public sealed class BertTokenizer : ITextTokenizer
{
    private const string Start = "[CLS]";
    private const string End = "[SEP]";

    // [DEC] and [ENC] follow the list; the first id in front of a text makes BLIP a language model, the second a matcher. ImageReward uses neither.
    private static readonly string[] Added = ["[DEC]", "[ENC]"];

    private readonly WordPieceVocabulary _vocabulary = WordPieceVocabulary.Published;
    private readonly (string Text, int Id)[] _special;
    private readonly int _startId;

    /// <summary>A tokenizer of <paramref name="length"/> ids per text; ImageReward has 35.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The length is less than 2.</exception>
    public BertTokenizer(int length = 35)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 2);
        Length = length;
        (_startId, EosId, PadId) = (_vocabulary.IdOf(Start), _vocabulary.IdOf(End), _vocabulary.IdOf("[PAD]"));
        _special =
        [
            .. new[] { "[UNK]", End, "[PAD]", Start, "[MASK]" }.Select(s => (s, _vocabulary.IdOf(s))),
            .. Added.Select((s, i) => (s, _vocabulary.Size + i)),
        ];
    }

    /// <inheritdoc/>
    public int VocabularySize => _vocabulary.Size + Added.Length;

    /// <inheritdoc/>
    public int Length { get; }

    /// <inheritdoc/>
    public int PadId { get; }

    /// <inheritdoc/>
    public int EosId { get; }

    /// <inheritdoc/>
    public int Encode(ReadOnlySpan<char> text, Span<int> ids) => Encode(text, ids, out _);

    /// <summary>
    /// As <see cref="Encode(ReadOnlySpan{char}, Span{int})"/>; <paramref name="isCut"/> tells whether the text has more ids than fit.
    /// </summary>
    /// <exception cref="ArgumentException"><paramref name="ids"/> does not hold <see cref="Length"/> ids.</exception>
    public int Encode(ReadOnlySpan<char> text, Span<int> ids, out bool isCut)
    {
        if (ids.Length != Length)
        {
            throw new ArgumentException($"ids: wanted room for {Length}, got {ids.Length}; pass one row of the batch", nameof(ids));
        }

        List<int> found = new(Length) { _startId };
        EncodeAroundSpecials(text, found);
        isCut = found.Count > Length - 1;
        int count = Math.Min(found.Count, Length - 1);
        CollectionsMarshal.AsSpan(found)[..count].CopyTo(ids);
        ids[count++] = EosId;
        ids[count..].Fill(PadId);
        return count;
    }

    /// <inheritdoc/>
    public string Decode(ReadOnlySpan<int> ids)
    {
        var text = new StringBuilder();
        foreach (int id in ids)
        {
            if (id < 0 || id >= VocabularySize)
            {
                throw new ArgumentException($"ids: wanted [0,{VocabularySize}), got {id}; the ids come from another vocabulary", nameof(ids));
            }

            if (id == EosId)
            {
                break;
            }

            if (id != _startId)
            {
                string piece = id < _vocabulary.Size ? _vocabulary.PieceOf(id) : Added[id - _vocabulary.Size];
                bool continues = piece.StartsWith("##", StringComparison.Ordinal) && piece.Length > 2;
                text.Append(continues || text.Length == 0 ? "" : " ").Append(continues ? piece.AsSpan(2) : piece);
            }
        }

        return text.ToString();
    }

    private void EncodeAroundSpecials(ReadOnlySpan<char> text, List<int> found)
    {
        while (!text.IsEmpty && found.Count < Length)
        {
            int place = text.Length;
            (string Text, int Id) special = ("", 0);
            for (int open = text.IndexOf('['); open >= 0 && open < place;)
            {
                foreach ((string Text, int Id) candidate in _special)
                {
                    if (text[open..].StartsWith(candidate.Text, StringComparison.Ordinal))
                    {
                        (place, special) = (open, candidate);
                    }
                }

                int next = text[(open + 1)..].IndexOf('[');
                open = next < 0 ? -1 : open + 1 + next;
            }

            EncodeWords(BertText.Split(text[..place].ToString()), found);
            if (special.Text.Length > 0)
            {
                found.Add(special.Id);
            }

            text = text[(place + special.Text.Length)..];
        }
    }

    private void EncodeWords(ReadOnlySpan<char> text, List<int> found)
    {
        foreach (Range word in text.Split(' '))
        {
            if (found.Count >= Length)
            {
                break;
            }

            if (!text[word].IsEmpty)
            {
                _vocabulary.Encode(text[word], found);
            }
        }
    }
}
