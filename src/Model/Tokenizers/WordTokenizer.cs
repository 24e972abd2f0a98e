namespace CoGrpo.Model.Tokenizers;

/// <summary>
/// One id per word of a closed vocabulary: 0 is padding, 1 the end, then the words in the order given. Words are separated by white space
/// and compared without regard to ASCII case. Immutable; encoding allocates nothing.
/// </summary>
public sealed class WordTokenizer : ITextTokenizer
{
    private const int FirstWord = 2;
    private readonly string[] _words;
    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;

    /// <summary>
    /// The tokenizer of <paramref name="words"/> (distinct, no white space) with texts of at most <paramref name="length"/> - 1 words.
    /// </summary>
    /// <exception cref="ArgumentException">A word is empty, repeated or contains white space, or the length is below 1.</exception>
    public WordTokenizer(IReadOnlyList<string> words, int length)
    {
        ArgumentNullException.ThrowIfNull(words);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        _words = [.. words];
        _ids = new Dictionary<string, int>(words.Count, StringComparer.OrdinalIgnoreCase);
        foreach (string word in _words)
        {
            if (string.IsNullOrEmpty(word) || word.Any(char.IsWhiteSpace) || !_ids.TryAdd(word, FirstWord + _ids.Count))
            {
                throw new ArgumentException($"words: wanted distinct words without white space, got '{word}'; check the word list", nameof(words));
            }
        }

        _lookup = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
        Length = length;
    }

    /// <inheritdoc/>
    public int VocabularySize => FirstWord + _words.Length;

    /// <inheritdoc/>
    public int Length { get; }

    /// <inheritdoc/>
    public int PadId => 0;

    /// <inheritdoc/>
    public int EosId => 1;

    /// <summary>The words; the id of word i is i + 2.</summary>
    public ReadOnlySpan<string> Words => _words;

    /// <inheritdoc/>
    public int Encode(ReadOnlySpan<char> text, Span<int> ids)
    {
        if (ids.Length != Length)
        {
            throw new ArgumentException($"ids: wanted room for {Length}, got {ids.Length}; pass one row of the batch", nameof(ids));
        }

        int count = 0;
        ReadOnlySpan<char> rest = text.TrimStart();
        while (!rest.IsEmpty)
        {
            int end = 0;
            while (end < rest.Length && !char.IsWhiteSpace(rest[end]))
            {
                end++;
            }

            if (count == Length - 1)
            {
                throw new FormatException($"text: wanted at most {Length - 1} words, got more in '{Shorten(text)}'; shorten the prompt");
            }

            ids[count++] = IdOf(rest[..end]);
            rest = rest[end..].TrimStart();
        }

        ids[count++] = EosId;
        ids[count..].Fill(PadId);
        return count;
    }

    /// <inheritdoc/>
    public string Decode(ReadOnlySpan<int> ids)
    {
        var words = new List<string>(ids.Length);
        foreach (int id in ids)
        {
            if (id == EosId)
            {
                break;
            }

            if (id < FirstWord || id >= VocabularySize)
            {
                throw new ArgumentException(
                    $"ids: wanted words in [{FirstWord},{VocabularySize}) up to the end {EosId}, got {id}; the ids come from another "
                        + "vocabulary or the end is missing",
                    nameof(ids)
                );
            }

            words.Add(_words[id - FirstWord]);
        }

        return string.Join(' ', words);
    }

    /// <summary>The id of one word.</summary>
    /// <exception cref="FormatException">The word is not in the vocabulary; the message names it and the nearest word that is.</exception>
    public int IdOf(ReadOnlySpan<char> word)
    {
        if (_lookup.TryGetValue(word, out int id))
        {
            return id;
        }

        throw new FormatException($"text: unknown word '{Shorten(word)}'; the nearest of the {_words.Length} known words is '{Nearest(word)}'");
    }

    private static string Shorten(ReadOnlySpan<char> text) => text.Length <= 60 ? text.ToString() : string.Concat(text[..57], "...");

    private string Nearest(ReadOnlySpan<char> word)
    {
        // A word of hostile length costs no more than a long real one.
        string lower = word[..Math.Min(word.Length, 60)].ToString().ToLowerInvariant();
        string best = string.Empty;
        int least = int.MaxValue;
        foreach (string known in _words)
        {
            int distance = EditDistance(lower, known.ToLowerInvariant());
            if (distance < least)
            {
                (least, best) = (distance, known);
            }
        }

        return best;
    }

    /// <summary>Insertions, deletions, replacements and swaps of neighbours, the four ways to mistype, that turn one word into the other.</summary>
    private static int EditDistance(string a, string b)
    {
        int[,] table = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
        {
            for (int j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    table[i, j] = i + j;
                    continue;
                }

                int replace = table[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                int best = Math.Min(replace, Math.Min(table[i - 1, j], table[i, j - 1]) + 1);
                bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                table[i, j] = swapped ? Math.Min(best, table[i - 2, j - 2] + 1) : best;
            }
        }

        return table[a.Length, b.Length];
    }
}
