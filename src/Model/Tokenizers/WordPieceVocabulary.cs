using System.Text;
using CoGrpo.Model.Text;

namespace CoGrpo.Model.Tokenizers;

/// <summary>
/// The word pieces of bert-base-uncased and their ids: pieces that begin a word and, marked by <c>##</c> in the list, such that continue one.
/// Immutable.
/// </summary>
internal sealed class WordPieceVocabulary
{
    private const string Continues = "##";
    private const int LongestWord = 100;
    private static readonly Lazy<WordPieceVocabulary> PublishedOnce = new(() => new WordPieceVocabulary(TextResource.Lines("vocab.txt")));

    private readonly string[] _pieces;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _first;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _next;

    private WordPieceVocabulary(IEnumerable<string> pieces)
    {
        _pieces = [.. pieces];
        Dictionary<string, int> first = new(StringComparer.Ordinal);
        Dictionary<string, int> next = new(StringComparer.Ordinal);
        for (int id = 0; id < _pieces.Length; id++)
        {
            string piece = _pieces[id];

            // A first piece with the mark at its front is never looked up: # is punctuation and stands alone.
            bool continues = piece.Length > Continues.Length && piece.StartsWith(Continues, StringComparison.Ordinal);
            (continues ? next : first).Add(continues ? piece[Continues.Length..] : piece, id);
        }

        _first = first.GetAlternateLookup<ReadOnlySpan<char>>();
        _next = next.GetAlternateLookup<ReadOnlySpan<char>>();
        UnknownId = first["[UNK]"];
    }

    /// <summary>The published vocabulary of 30,522 pieces, which is part of the program.</summary>
    public static WordPieceVocabulary Published => PublishedOnce.Value;

    /// <summary>Number of ids.</summary>
    public int Size => _pieces.Length;

    /// <summary>The id of a word that no pieces make.</summary>
    public int UnknownId { get; }

    /// <summary>The id of a piece that begins a word, or of a special token.</summary>
    public int IdOf(string piece) => _first.Dictionary[piece];

    /// <summary>The piece of an id as the list has it.</summary>
    public string PieceOf(int id) => _pieces[id];

    /// <summary>
    /// Appends the ids of one word: the longest piece from the left, then the longest that continues, and so on; the unknown id where one is missing.
    /// </summary>
    public void Encode(ReadOnlySpan<char> word, List<int> ids)
    {
        int before = ids.Count;
        ReadOnlySpan<char> rest = CountRunes(word) <= LongestWord ? word : default;
        while (!rest.IsEmpty)
        {
            int length = rest.Length;
            int id = UnknownId;
            while (length > 0 && !(ids.Count == before ? _first : _next).TryGetValue(rest[..length], out id))
            {
                length--;
            }

            if (length == 0)
            {
                ids.RemoveRange(before, ids.Count - before);
                break;
            }

            ids.Add(id);
            rest = rest[length..];
        }

        if (ids.Count == before)
        {
            ids.Add(UnknownId);
        }
    }

    private static int CountRunes(ReadOnlySpan<char> word)
    {
        int count = 0;
        foreach (Rune _ in word.EnumerateRunes())
        {
            count++;
        }

        return count;
    }
}
