using System.Text.Json;
using CoGrpo.Model;

namespace CoGrpo.Rl.Rewards;

/// <summary>
/// What a remote reward and its server say to each other: the request <c>{"version":1,"prompts":[TEXT,...],"images":[BASE64-PNG,...]}</c>, the answer
/// <c>{"scores":[NUMBER,...]}</c> or, with a status from 400 on, <c>{"error":TEXT}</c>. Both sides take the other's words for hostile until they are
/// checked.
/// </summary>
internal static class RewardProtocol
{
    /// <summary>Version of the request.</summary>
    public const int Version = 1;

    /// <summary>The media type of both.</summary>
    public const string MediaType = "application/json";

    private const int MostDepth = 8;
    private const int LongestExcerpt = 200;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = MostDepth };

    /// <summary>Most bytes of an answer with <paramref name="count"/> scores; a longer one is a mistake.</summary>
    public static int MostAnswerBytes(int count) => 8192 + (64 * count);

    /// <summary>The request for <paramref name="pictures"/>, PNG files, each with its prompt.</summary>
    public static byte[] Request(IReadOnlyList<string> prompts, IReadOnlyList<byte[]> pictures)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteNumber("version", Version);
            json.WriteStartArray("prompts");
            foreach (string prompt in prompts)
            {
                json.WriteStringValue(prompt);
            }

            json.WriteEndArray();
            json.WriteStartArray("images");
            foreach (byte[] picture in pictures)
            {
                json.WriteBase64StringValue(picture);
                json.Flush();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    /// <summary>The prompts and PNG files of a request.</summary>
    /// <exception cref="ModelException">It is no such request, or has more than <paramref name="mostPictures"/> pictures or prompts longer than
    /// <paramref name="longestPrompt"/>.</exception>
    public static (string[] Prompts, byte[][] Pictures) ReadRequest(ReadOnlyMemory<byte> request, int mostPictures, int longestPrompt)
    {
        using JsonDocument json = Parse(request, "request");
        JsonElement root = json.RootElement;
        if (!root.TryGetProperty("version", out JsonElement version) || !version.TryGetInt32(out int number) || number != Version)
        {
            throw new ModelException($"request: wanted version {Version}, got {Excerpt(version)}; use a client of the same version");
        }

        string[] prompts = [.. List(root, "prompts", mostPictures).Select((prompt, i) =>
            prompt.ValueKind == JsonValueKind.String && Text(prompt) is { } text && text.Length <= longestPrompt ? text
            : throw new ModelException($"request: wanted texts of at most {longestPrompt} characters as prompts, got something else in place {i}; correct the prompt"))];
        byte[][] pictures = [.. List(root, "images", mostPictures).Select((picture, i) =>
            picture.ValueKind == JsonValueKind.String && picture.TryGetBytesFromBase64(out byte[]? bytes) ? bytes
            : throw new ModelException($"request: wanted PNG files in base64 as images, got something else in place {i}; correct the image"))];
        return prompts.Length == pictures.Length && prompts.Length > 0 ? (prompts, pictures)
            : throw new ModelException($"request: wanted one prompt for each image and one image at least, got {prompts.Length} prompts and {pictures.Length} images; send as many of both");
    }

    /// <summary>The answer.</summary>
    public static byte[] Answer(ReadOnlySpan<double> scores) =>
        JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, double[]> { ["scores"] = scores.ToArray() });

    /// <summary>The answer to a request that cannot be met.</summary>
    public static byte[] Error(string message) => JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string> { ["error"] = message });

    /// <summary>The scores of an answer, as many as <paramref name="scores"/> holds.</summary>
    /// <exception cref="ModelException">It is no such answer, or a score is no finite number; the message says what it is and nothing of
    /// whose.</exception>
    public static void ReadAnswer(ReadOnlyMemory<byte> answer, Span<double> scores)
    {
        using JsonDocument json = Parse(answer, "answer");
        if (!json.RootElement.TryGetProperty("scores", out JsonElement list) || list.ValueKind != JsonValueKind.Array)
        {
            throw new ModelException($"an answer without a list of scores, {Excerpt(json.RootElement)}");
        }

        if (list.GetArrayLength() != scores.Length)
        {
            throw new ModelException($"{list.GetArrayLength()} scores for {scores.Length} pictures");
        }

        for (int i = 0; i < scores.Length; i++)
        {
            if (list[i].ValueKind != JsonValueKind.Number || !list[i].TryGetDouble(out double score) || !double.IsFinite(score))
            {
                throw new ModelException($"{Excerpt(list[i])} as score {i}, which is no finite number");
            }

            scores[i] = score;
        }
    }

    /// <summary>What a server said about an error, or null.</summary>
    public static string? ReadError(ReadOnlyMemory<byte> answer)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(answer, Strict);
            return
                json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("error", out JsonElement error)
                && error.ValueKind == JsonValueKind.String
                && Text(error) is { } text
                ? Plain(text)
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Text from elsewhere in a message: of bounded length, without control characters.</summary>
    public static string Plain(string text) =>
        string.Concat(
            (text.Length <= LongestExcerpt ? text : text[..LongestExcerpt] + "...").Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c)
        );

    private static JsonDocument Parse(ReadOnlyMemory<byte> bytes, string what)
    {
        try
        {
            JsonDocument json = JsonDocument.Parse(bytes, Strict);
            if (json.RootElement.ValueKind == JsonValueKind.Object)
            {
                return json;
            }

            json.Dispose();
        }
        catch (JsonException)
        {
            // Said below, without the library's words.
        }

        throw new ModelException(
            what == "request"
                ? "request: wanted a JSON object with version, prompts and images, got something else; see the protocol"
                : "an answer that is no JSON object"
        );
    }

    private static JsonElement.ArrayEnumerator List(JsonElement root, string name, int most) =>
        root.TryGetProperty(name, out JsonElement list) && list.ValueKind == JsonValueKind.Array && list.GetArrayLength() <= most
            ? list.EnumerateArray()
            : throw new ModelException(
                $"request: wanted a list of at most {most} under {name}, got {(list.ValueKind == JsonValueKind.Array ? list.GetArrayLength() : "none")}; send fewer at a time"
            );

    private static string? Text(JsonElement element)
    {
        try
        {
            return element.GetString();
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, or bytes that are not UTF-8.
            return null;
        }
    }

    private static string Excerpt(JsonElement element) => element.ValueKind == JsonValueKind.Undefined ? "nothing" : Plain(element.GetRawText());
}
