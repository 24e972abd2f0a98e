using System.Globalization;
using System.Text;
using System.Text.Json;
using CoGrpo.Model.Text;

namespace CoGrpo.Model.Tokenizers;

/// <summary>
/// Byte-pair merges of a CLIP tokenizer and the ids of what they make. Internally a symbol is a number: 256 bytes, the same 256 at the end of a
/// word, then one per merge in order of rank; two special tokens follow. Immutable.
/// </summary>
public sealed class BytePairVocabulary
{
    private const int Bytes = 256;
    private const int MostMerges = 1_000_000;
    private const string WordEnd = "</w>";
    private static readonly Lazy<BytePairVocabulary> PublishedOnce = new(() => new BytePairVocabulary("the published merges", ReadResource()));

    private readonly Dictionary<(int Left, int Right), int> _merges;
    private readonly string[] _symbols;
    private readonly int[] _ids;

    /// <summary>The vocabulary of the given merges, pairs separated by a blank in order of rank; ids in the published order.</summary>
    /// <param name="source">Where they come from, for messages.</param>
    /// <param name="merges">One line each.</param>
    /// <exception cref="ModelException">A line is not a merge of symbols that lines before it make, or makes a symbol that is there
    /// already.</exception>
    public BytePairVocabulary(string source, IEnumerable<string> merges)
    {
        char[] alphabet = ByteAlphabet();
        List<string> symbols = [.. alphabet.Select(c => c.ToString()), .. alphabet.Select(c => c + WordEnd)];
        Dictionary<string, int> numbers = new(StringComparer.Ordinal);
        foreach (string symbol in symbols)
        {
            numbers.Add(symbol, numbers.Count);
        }

        _merges = [];
        foreach (string line in merges)
        {
            int blank = line.IndexOf(' ', StringComparison.Ordinal);
            string joined = blank < 0 ? "" : string.Concat(line.AsSpan(0, blank), line.AsSpan(blank + 1));
            bool known =
                blank > 0 & numbers.TryGetValue(line[..Math.Max(0, blank)], out int left) & numbers.TryGetValue(line[(blank + 1)..], out int right);
            if (!known || left is >= Bytes and < 2 * Bytes || _merges.Count >= MostMerges || !numbers.TryAdd(joined, symbols.Count))
            {
                throw new ModelException($"{source}, merge {_merges.Count + 1}: wanted two symbols that the lines before make and whose join is new, got '{Shown(line)}'; restore the tokenizer's merges.txt");
            }

            _merges.Add((left, right), symbols.Count);
            symbols.Add(joined);
        }

        StartId = symbols.Count;
        EndId = symbols.Count + 1;
        _symbols = [.. symbols, ClipTokenizer.Start, ClipTokenizer.End];
        _ids = [.. Enumerable.Range(0, _symbols.Length)];
    }

    private BytePairVocabulary(BytePairVocabulary other, int[] ids)
    {
        (_merges, _symbols, _ids) = (other._merges, other._symbols, ids);
        (StartId, EndId) = (ids[^2], ids[^1]);
    }

    /// <summary>The published vocabulary of 49,408 ids, which is part of the program.</summary>
    public static BytePairVocabulary Published => PublishedOnce.Value;

    /// <summary>Number of ids.</summary>
    public int Size => _symbols.Length;

    /// <summary>The id in front of every text.</summary>
    public int StartId { get; }

    /// <summary>The id that ends a text.</summary>
    public int EndId { get; }

    /// <summary>
    /// Reads <c>merges.txt</c> and, where there is one, <c>vocab.json</c> of a tokenizer folder; without merges the published vocabulary.
    /// </summary>
    /// <exception cref="ModelException">The files are damaged or do not belong together.</exception>
    public static BytePairVocabulary Load(string folder)
    {
        string merges = Path.Combine(folder, "merges.txt");
        string ids = Path.Combine(folder, "vocab.json");
        if (!File.Exists(merges))
        {
            return Published;
        }

        var vocabulary = new BytePairVocabulary(merges, Merges(File.ReadLines(merges)));
        return File.Exists(ids) ? vocabulary.WithIds(ids) : vocabulary;
    }

    /// <summary>The symbols of the vocabulary in order of id, as <c>vocab.json</c> lists them.</summary>
    public IEnumerable<string> Symbols => _symbols.Zip(_ids).OrderBy(p => p.Second).Select(p => p.First);

    /// <summary>The id of a symbol or special token, or null.</summary>
    public int? IdOf(string symbol) => Array.IndexOf(_symbols, symbol) is >= 0 and int place ? _ids[place] : null;

    /// <summary>Appends the ids of one word, given as its UTF-8 bytes.</summary>
    internal void Encode(ReadOnlySpan<byte> word, List<int> ids)
    {
        int[] symbols = new int[word.Length];
        for (int i = 0; i < word.Length; i++)
        {
            symbols[i] = NumberOfByte[word[i]] + (i == word.Length - 1 ? Bytes : 0);
        }

        Merge(symbols);
        foreach (int symbol in symbols)
        {
            if (symbol >= 0)
            {
                ids.Add(_ids[symbol]);
            }
        }
    }

    /// <summary>The bytes that ids stand for; <paramref name="ends"/> tells whether each ends a word.</summary>
    internal byte[] BytesOf(int id, out bool ends)
    {
        string symbol = _symbols[Array.IndexOf(_ids, id)];
        ends = symbol.EndsWith(WordEnd, StringComparison.Ordinal) && symbol.Length > WordEnd.Length;
        return [.. symbol[..(ends ? ^WordEnd.Length : ^0)].Select(c => ByteOfCharacter[c])];
    }

    /// <summary>
    /// Joins the adjacent pair of lowest rank until no pair is a merge, in n log n. A merge's parts come from earlier lines, so no join makes a pair
    /// of lower rank than its own, and taking the pairs one by one is the same as all places of a pair at once. Joined places keep their first, the
    /// rest are -1.
    /// </summary>
    private void Merge(int[] symbols)
    {
        var next = new int[symbols.Length];
        var previous = new int[symbols.Length];
        var queue = new PriorityQueue<(int Place, int Left, int Right), (int Rank, int Place)>();
        for (int i = 0; i < symbols.Length; i++)
        {
            (previous[i], next[i]) = (i - 1, i + 1);
            Offer(i);
        }

        while (queue.TryDequeue(out (int Place, int Left, int Right) pair, out (int Rank, int Place) rank))
        {
            int right = next[pair.Place];
            if (symbols[pair.Place] != pair.Left || right >= symbols.Length || symbols[right] != pair.Right)
            {
                continue;
            }

            symbols[pair.Place] = rank.Rank;
            symbols[right] = -1;
            next[pair.Place] = next[right];
            if (next[right] < symbols.Length)
            {
                previous[next[right]] = pair.Place;
            }

            Offer(pair.Place);
            Offer(previous[pair.Place]);
        }

        void Offer(int place)
        {
            if (place >= 0 && next[place] < symbols.Length && _merges.TryGetValue((symbols[place], symbols[next[place]]), out int joined))
            {
                queue.Enqueue((place, symbols[place], symbols[next[place]]), (joined, place));
            }
        }
    }

    private BytePairVocabulary WithIds(string path)
    {
        Dictionary<string, int> listed;
        try
        {
            listed = JsonSerializer.Deserialize<Dictionary<string, int>>(File.ReadAllBytes(path)) ?? [];
        }
        catch (JsonException error)
        {
            throw new ModelException(
                $"{path}: wanted a JSON object of token ids, got an error at line {error.LineNumber + 1}; restore the tokenizer's vocab.json"
            );
        }

        int[] ids = new int[_symbols.Length];
        var seen = new HashSet<int>();
        for (int i = 0; i < ids.Length; i++)
        {
            if (!listed.TryGetValue(_symbols[i], out ids[i]) || ids[i] < 0 || ids[i] >= ids.Length || !seen.Add(ids[i]))
            {
                string got = listed.TryGetValue(_symbols[i], out int id) ? id.ToString(CultureInfo.InvariantCulture) : "none";
                throw new ModelException($"{path}, token '{Shown(_symbols[i])}': wanted an id of its own below {ids.Length}, got {got}; take vocab.json and merges.txt from one tokenizer");
            }
        }

        return listed.Count == ids.Length
            ? new BytePairVocabulary(this, ids)
            : throw new ModelException(
                $"{path}: wanted the {ids.Length} tokens of merges.txt, got {listed.Count}; take vocab.json and merges.txt from one tokenizer"
            );
    }

    private static IEnumerable<string> Merges(IEnumerable<string> lines) =>
        lines.Where((line, i) => line.Length > 0 && !(i == 0 && line.StartsWith("#version", StringComparison.Ordinal)));

    private static IEnumerable<string> ReadResource()
    {
        using var reader = new StreamReader(TextResource.Open("merges.txt"));
        return [.. Merges(reader.ReadToEnd().Split('\n'))];
    }

    /// <summary>
    /// The printable character of each byte in order of symbol: bytes that print stand for themselves and come first, the other 68 follow from U+0100
    /// on.
    /// </summary>
    private static char[] ByteAlphabet()
    {
        List<char> printable = [];
        List<char> others = [];
        for (int code = 0; code < Bytes; code++)
        {
            (Prints(code) ? printable : others).Add(Prints(code) ? (char)code : (char)(Bytes + others.Count));
        }

        return [.. printable, .. others];
    }

    private static readonly int[] NumberOfByte = Numbers();
    private static readonly Dictionary<char, byte> ByteOfCharacter = Enumerable
        .Range(0, Bytes)
        .ToDictionary(b => ByteAlphabet()[NumberOfByte[b]], b => (byte)b);

    private static int[] Numbers()
    {
        int[] numbers = new int[Bytes];
        int printable = Enumerable.Range(0, Bytes).Count(Prints);
        int first = 0;
        int second = printable;
        for (int code = 0; code < Bytes; code++)
        {
            numbers[code] = Prints(code) ? first++ : second++;
        }

        return numbers;
    }

    private static bool Prints(int code) => code is (>= 33 and <= 126) or (>= 161 and <= 172) or (>= 174 and <= 255);

    private static string Shown(string text) => string.Concat(new StringBuilder(text).ToString().Take(40).Select(c => char.IsControl(c) ? '?' : c));
}
