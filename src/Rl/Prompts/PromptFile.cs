using System.Text;
using System.Text.Json;
using CoGrpo.Model;
using Parquet;
using Parquet.Schema;

namespace CoGrpo.Rl.Prompts;

/// <summary>
/// Reads files of prompts in the forms they are published in (specs/reward-models.md 4): text with one prompt per line; a JSON list or JSON lines of
/// texts or of objects with the key <c>prompt</c> or <c>text</c> (HPDv2, ImageReward, GenEval); Parquet with a column <c>prompt</c> (ImageRewardDB).
/// </summary>
public static class PromptFile
{
    /// <summary>Longest prompt in characters; a longer one is a mistake, and no encoder reads that far.</summary>
    public const int Longest = 16_384;

    private const long MostBytes = 4L << 30;

    private static readonly string[] Keys = ["prompt", "text"];

    /// <summary>The prompts of <paramref name="path"/> that hold more than white space, trimmed, in order, repetitions included.</summary>
    /// <exception cref="ModelException">The file is missing, of another form or not UTF-8; the message names the entry.</exception>
    public static IReadOnlyList<string> Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        var file = new FileInfo(path);
        if (!file.Exists)
        {
            throw new ModelException($"{path}: wanted a file of prompts, it does not exist; check the path");
        }

        if (file.Length > MostBytes)
        {
            throw new ModelException(
                $"{path}: wanted a file of prompts of at most {MostBytes >> 30} GiB, got {file.Length >> 30}; give the prompts without pictures"
            );
        }

        List<string> prompts = [];
        try
        {
            IEnumerable<string?> entries = file.Extension.ToLowerInvariant() switch
            {
                ".json" => List(path),
                ".jsonl" or ".ndjson" => Lines(path).Select((line, i) => string.IsNullOrWhiteSpace(line) ? "" : OfLine(path, line, i + 1)),
                ".parquet" => Column(path),
                _ => Lines(path),
            };
            foreach (string? entry in entries)
            {
                string prompt = (entry ?? "").Trim();
                if (prompt.Length > Longest)
                {
                    throw new ModelException($"{path}: wanted prompts of at most {Longest} characters, got {prompt.Length} in prompt {prompts.Count + 1}; check the file's form");
                }

                if (prompt.Length > 0)
                {
                    prompts.Add(prompt);
                }
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ModelException(
                $"{path}: wanted a readable file of prompts, got {error.Message.TrimEnd('.')}; check the path and its permissions"
            );
        }

        return prompts.Count > 0
            ? prompts
            : throw new ModelException($"{path}: wanted prompts, found none; give a text file with one prompt per line, JSON, JSON lines or Parquet");
    }

    private static IEnumerable<string> Lines(string path)
    {
        using var reader = new StreamReader(path, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true));
        for (int number = 1; ; number++)
        {
            string? line;
            try
            {
                line = reader.ReadLine();
            }
            catch (DecoderFallbackException)
            {
                // The reader decodes ahead of the line it returns, so the place is not known better than this.
                throw new ModelException($"{path}: wanted UTF-8 text, got other bytes in or after line {number}; save it as UTF-8");
            }

            if (line is null)
            {
                yield break;
            }

            yield return line;
        }
    }

    private static string OfLine(string path, string line, int number)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(line);
            return OfEntry(json.RootElement) ?? throw Wrong(path, $"line {number}");
        }
        catch (JsonException)
        {
            throw Wrong(path, $"line {number}");
        }
    }

    private static IEnumerable<string?> List(string path)
    {
        using FileStream stream = File.OpenRead(path);
        IAsyncEnumerator<JsonElement> entries = JsonSerializer.DeserializeAsyncEnumerable<JsonElement>(stream).GetAsyncEnumerator();
        for (int number = 1; ; number++)
        {
            string? prompt;
            try
            {
                if (!entries.MoveNextAsync().AsTask().GetAwaiter().GetResult())
                {
                    yield break;
                }

                prompt = OfEntry(entries.Current);
            }
            catch (JsonException)
            {
                prompt = null;
            }

            yield return prompt ?? throw Wrong(path, $"entry {number}");
        }
    }

    private static string? OfEntry(JsonElement entry)
    {
        try
        {
            return entry.ValueKind switch
            {
                JsonValueKind.String => entry.GetString(),
                JsonValueKind.Object => Keys.Select(key =>
                        entry.TryGetProperty(key, out JsonElement text) && text.ValueKind == JsonValueKind.String ? text.GetString() : null
                    )
                    .FirstOrDefault(text => text is not null),
                _ => null,
            };
        }
        catch (InvalidOperationException)
        {
            // Text that is no Unicode: half of a surrogate pair, or bytes that are not UTF-8.
            return null;
        }
    }

    private static List<string?> Column(string path)
    {
        try
        {
            return ColumnAsync(path).GetAwaiter().GetResult();
        }
        catch (Exception error) when (error is not (ModelException or UnauthorizedAccessException or FileNotFoundException))
        {
            throw new ModelException(
                $"{path}: wanted a Parquet file, got an error: {error.Message.TrimEnd('.')}; fetch it again, or give its prompts as text"
            );
        }
    }

    private static async Task<List<string?>> ColumnAsync(string path)
    {
        await using var stream = new ParquetStream(path);
        ParquetFooter.Check(stream);
        await using ParquetReader reader = await ParquetReader.CreateAsync(stream);

        // The library's type of text, whatever it is read as.
        DataField field =
            reader
                .Schema.GetDataFields()
                .FirstOrDefault(field =>
                    Keys.Contains(field.Name)
                    && field.MaxRepetitionLevel == 0
                    && (field.ClrType == typeof(ReadOnlyMemory<char>) || field.ClrType == typeof(string))
                )
            ?? throw new ModelException(
                $"{path}: wanted a Parquet file with a column prompt of text, got {string.Join(", ", reader.Schema.GetDataFields().Take(12).Select(field => field.Name))}; give the file of metadata"
            );
        var pages = new ParquetPages(stream);
        List<string?> prompts = [];
        long characters = 0;
        for (int group = 0; group < reader.RowGroupCount; group++)
        {
            using ParquetRowGroupReader rows = reader.OpenRowGroupReader(group);
            stream.End = long.MaxValue;
            stream.End = pages.Check(
                rows.GetMetadata(field)?.MetaData ?? throw new InvalidDataException($"no column {field.Name} in row group {group}"),
                rows.RowCount
            );
            if (rows.RowCount == 0)
            {
                continue;
            }

            // Rows share the text of their dictionary until they are copied.
            var column = new ReadOnlyMemory<char>?[rows.RowCount];
            await rows.ReadAsync(field, column.AsMemory());
            characters += column.Sum(text => (long)(text?.Length ?? 0));
            if (characters > pages.MostText)
            {
                throw new InvalidDataException($"prompts of {characters} characters in a file of {stream.Length} bytes");
            }

            prompts.AddRange(column.Select(text => text?.ToString()));
        }

        return prompts;
    }

    private static ModelException Wrong(string path, string where) =>
        new($"{path}: wanted a text, or an object with the text under {string.Join(" or ", Keys)}, in {where}, got something else; give the prompts as one JSON list or one JSON value per line");
}
