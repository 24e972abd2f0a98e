using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace CoGrpo.Model.Tokenizers;

/// <summary>
/// Byte-pair tokenizer of the CLIP text encoders (specs/meissonic.md 6.2): start, the text's ids cut to two less than <see cref="Length"/>, end,
/// padding. Every text can be written. Shared between threads; words met before are remembered.
/// </summary>
public sealed class ClipTokenizer : ITextTokenizer
{
    /// <summary>The token in front of a text.</summary>
    internal const string Start = "<|startoftext|>";

    /// <summary>The token that ends a text.</summary>
    internal const string End = "<|endoftext|>";

    private const string OpenClipStart = "<start_of_text>";
    private const string OpenClipEnd = "<end_of_text>";

    // Enough for the words of any prompt set; a stream of words made to be different stops filling it.
    private const int MostRemembered = 1 << 16;
    private const int LongestRemembered = 48;

    private readonly BytePairVocabulary _vocabulary;
    private readonly ClipCleaning _cleaning;
    private readonly string _pad;
    private readonly ConcurrentDictionary<string, int[]> _remembered = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> _lookup;

    /// <summary>A tokenizer of <paramref name="length"/> ids per text that pads with <paramref name="pad"/>.</summary>
    /// <exception cref="ModelException">The vocabulary has no token <paramref name="pad"/>.</exception>
    public ClipTokenizer(BytePairVocabulary vocabulary, ClipCleaning cleaning, int length = 77, string pad = "!")
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 2);
        (_vocabulary, _cleaning, _pad, Length) = (vocabulary, cleaning, pad, length);
        PadId =
            vocabulary.IdOf(pad)
            ?? throw new ModelException(
                $"tokenizer: wanted a padding token of the vocabulary, got '{pad}'; correct pad_token in tokenizer/special_tokens_map.json"
            );
        _lookup = _remembered.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>The tokenizer of the published Meissonic model: the published vocabulary, padding <c>!</c>, which is id 0.</summary>
    public static ClipTokenizer Published => new(BytePairVocabulary.Published, ClipCleaning.HuggingFace);

    /// <summary>The tokenizer of open_clip's models, as the scoring models use it: padding 0.</summary>
    public static ClipTokenizer OpenClip => new(BytePairVocabulary.Published, ClipCleaning.OpenClip);

    /// <inheritdoc/>
    public int VocabularySize => _vocabulary.Size;

    /// <inheritdoc/>
    public int Length { get; }

    /// <inheritdoc/>
    public int PadId { get; }

    /// <inheritdoc/>
    public int EosId => _vocabulary.EndId;

    /// <summary>
    /// The tokenizer in folder <c>tokenizer/</c> of a model in the published layout: merges.txt, vocab.json, special_tokens_map.json,
    /// tokenizer_config.json, each where present, else what the published model has.
    /// </summary>
    /// <exception cref="ModelException">A file is damaged or the files do not fit together.</exception>
    public static ClipTokenizer Load(string folder)
    {
        string pad = "!";
        int length = 77;
        foreach (string name in new[] { "special_tokens_map.json", "tokenizer_config.json" })
        {
            string path = Path.Combine(folder, name);
            if (!File.Exists(path))
            {
                continue;
            }

            try
            {
                using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(path));
                if (json.RootElement.TryGetProperty("pad_token", out JsonElement token))
                {
                    pad = (token.ValueKind == JsonValueKind.Object ? token.GetProperty("content") : token).GetString() ?? pad;
                }

                length = json.RootElement.TryGetProperty("model_max_length", out JsonElement longest) ? longest.GetInt32() : length;
            }
            catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
            {
                throw new ModelException($"{path}: wanted a JSON object with pad_token as text and model_max_length as a number, got {error.Message.TrimEnd('.')}; restore the file from the model's source");
            }
        }

        return length is >= 2 and <= 4096
            ? new ClipTokenizer(BytePairVocabulary.Load(folder), ClipCleaning.HuggingFace, length, pad)
            : throw new ModelException(
                $"{folder}: wanted model_max_length from 2 to 4096, got {length}; restore tokenizer_config.json from the model's source"
            );
    }

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

        List<int> found = new(Length) { _vocabulary.StartId };
        if (_cleaning == ClipCleaning.OpenClip)
        {
            EncodeCleaned(ClipText.OpenClip(text.ToString()), OpenClipStart, OpenClipEnd, found);
        }
        else
        {
            EncodeAroundSpecials(text, found);
        }

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
        var bytes = new ArrayBufferWriter<byte>();
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

            if (id != _vocabulary.StartId)
            {
                bytes.Write(_vocabulary.BytesOf(id, out bool ends));
                bytes.Write(ends ? " "u8 : default);
            }
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan).TrimEnd();
    }

    /// <summary>
    /// Special tokens stand in the text as they are, before any cleaning: that is how an exclamation mark becomes the padding's id.
    /// </summary>
    private void EncodeAroundSpecials(ReadOnlySpan<char> text, List<int> found)
    {
        while (!text.IsEmpty && found.Count < Length)
        {
            int place = text.Length;
            string special = "";
            foreach (string candidate in new[] { Start, End, _pad })
            {
                int at = text.IndexOf(candidate, StringComparison.Ordinal);
                if (at >= 0 && at < place)
                {
                    (place, special) = (at, candidate);
                }
            }

            EncodeCleaned(ClipText.HuggingFace(text[..place].ToString()), Start, End, found);
            if (special.Length > 0)
            {
                found.Add(special == Start ? _vocabulary.StartId : special == End ? EosId : PadId);
            }

            text = text[(place + special.Length)..];
        }
    }

    private void EncodeCleaned(ReadOnlySpan<char> text, string start, string end, List<int> found)
    {
        var words = new ClipWords(text, start, end);
        while (found.Count < Length && words.Next())
        {
            if (words.Special is { } special)
            {
                found.Add(special == start ? _vocabulary.StartId : EosId);
            }
            else
            {
                EncodeWord(words.Word, found);
            }
        }
    }

    private void EncodeWord(ReadOnlySpan<char> word, List<int> found)
    {
        if (_lookup.TryGetValue(word, out int[]? ids))
        {
            found.AddRange(ids);
            return;
        }

        int first = found.Count;
        _vocabulary.Encode(Encoding.UTF8.GetBytes(word.ToString()), found);
        if (word.Length <= LongestRemembered && _remembered.Count < MostRemembered)
        {
            _lookup.TryAdd(word, [.. found.Skip(first)]);
        }
    }
}
