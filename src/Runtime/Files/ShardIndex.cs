using System.Text.Json;
using static CoGrpo.Runtime.Files.UntrustedText;

namespace CoGrpo.Runtime.Files;

/// <summary>
/// The index of a network whose weights lie in several files: <c>{"weight_map": {tensor: file}}</c>. Files are named without a folder.
/// </summary>
internal sealed class ShardIndex
{
    private const int MostBytes = 64 << 20;
    private const int MostFiles = 10_000;

    private readonly string _path;

    private ShardIndex(string path, IReadOnlyDictionary<string, string> fileOf) => (_path, FileOf) = (path, fileOf);

    /// <summary>Which file has which tensor.</summary>
    public IReadOnlyDictionary<string, string> FileOf { get; }

    /// <summary>The files in ordinal order.</summary>
    public IReadOnlyList<string> Files => [.. FileOf.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>Reads and validates the index.</summary>
    /// <exception cref="WeightsFolderException">It cannot be read, is malformed, or names a file of another folder.</exception>
    public static ShardIndex Read(string path)
    {
        var fileOf = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            using FileStream file = File.OpenRead(path);
            if (file.Length > MostBytes)
            {
                throw Refuse(path, "size", $"at most {MostBytes} bytes", $"{file.Length}");
            }

            using JsonDocument json = JsonDocument.Parse(file, new JsonDocumentOptions { MaxDepth = 16 });
            if (
                json.RootElement.ValueKind != JsonValueKind.Object
                || !json.RootElement.TryGetProperty("weight_map", out JsonElement map)
                || map.ValueKind != JsonValueKind.Object
            )
            {
                throw Refuse(path, "weight_map", "an object of tensor names and file names", "none");
            }

            foreach (JsonProperty entry in map.EnumerateObject())
            {
                string? name = entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString() : null;
                if (name is null || !IsPlain(name))
                {
                    throw Refuse(
                        path,
                        $"file of tensor {Quote(entry.Name)}",
                        "the name of a weight file in the same folder",
                        Quote(entry.Value.ToString())
                    );
                }

                if (!fileOf.TryAdd(entry.Name, name))
                {
                    throw Refuse(path, "weight_map", "unique tensor names", $"{Quote(entry.Name)} twice");
                }
            }
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new WeightsFolderException(path, "index", "strict JSON", error.Message, "fetch the file again", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new WeightsFolderException(path, "index", "a readable file", error.Message, "check the path and its permissions", error);
        }

        var index = new ShardIndex(path, fileOf);
        return index.Files.Count is > 0 and <= MostFiles
            ? index
            : throw Refuse(path, "weight_map", $"1 to {MostFiles} files", $"{index.Files.Count}");
    }

    /// <summary>Checks that the files hold exactly the tensors that the index places in them.</summary>
    /// <exception cref="WeightsFolderException">They do not; the first difference is named and the others counted.</exception>
    public void Check(IReadOnlyList<(string Name, ITensorSource File)> files)
    {
        List<string> differences = [];
        foreach ((string name, ITensorSource file) in files)
        {
            differences.AddRange(
                file.Tensors.Keys.Where(tensor => FileOf.GetValueOrDefault(tensor) != name)
                    .Select(tensor => $"{Quote(tensor)} in {name}, which the index does not say")
            );
            differences.AddRange(
                FileOf.Where(entry => entry.Value == name && !file.Tensors.ContainsKey(entry.Key)).Select(entry => $"no {Quote(entry.Key)} in {name}")
            );
        }

        if (differences.Count > 0)
        {
            string more = differences.Count > 1 ? $" and {differences.Count - 1} more differences" : "";
            throw Refuse(_path, "weight_map", "the tensors that are in the files", differences[0] + more);
        }
    }

    private static bool IsPlain(string name) =>
        name.Length is > 0 and <= 255
        && name == Path.GetFileName(name)
        && name.IndexOfAny(['/', '\\', ':', '\0']) < 0
        && name[0] != '.'
        && WeightsFolder.IsWeightFile(name);

    private static WeightsFolderException Refuse(string path, string what, string expected, string found) =>
        new(path, what, expected, found, "fetch index and weight files again from one source");
}
