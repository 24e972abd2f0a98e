using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CoGrpo.Model.Conversion;

/// <summary>Size and SHA-256 of every file of a converted folder, in <c>cogrpo-manifest.json</c> at its top.</summary>
internal sealed class FolderManifest
{
    /// <summary>Name of the file.</summary>
    public const string FileName = "cogrpo-manifest.json";

    private const string Format = "cogrpo-native model folder";
    private const int Version = 1;
    private const int ChunkBytes = 1 << 22;
    private const int MostBytes = 1 << 24;

    private readonly SortedDictionary<string, (long Bytes, string Checksum)> _files = new(StringComparer.Ordinal);

    /// <summary>Bytes of all files listed.</summary>
    public long Bytes => _files.Values.Sum(file => file.Bytes);

    /// <summary>Adds a file by its path within the folder, with slashes.</summary>
    public void Add(string path, long bytes, string checksum) => _files.Add(path, (bytes, checksum));

    /// <summary>The file's text.</summary>
    public string Text()
    {
        var files = new JsonObject();
        foreach ((string path, (long bytes, string checksum)) in _files)
        {
            files.Add(path, new JsonObject { ["bytes"] = bytes, ["sha256"] = checksum });
        }

        return PublishedText.Of(new JsonObject { ["format"] = Format, ["version"] = Version, ["files"] = files });
    }

    /// <summary>Reads the manifest of a folder; null where there is none.</summary>
    /// <exception cref="ModelException">It is damaged or of another version.</exception>
    public static FolderManifest? Read(string folder)
    {
        string file = Path.Combine(folder, FileName);
        if (!File.Exists(file))
        {
            return null;
        }

        var manifest = new FolderManifest();
        try
        {
            using FileStream stream = File.OpenRead(file);
            if (stream.Length > MostBytes)
            {
                throw Damaged(file, $"{stream.Length} bytes");
            }

            using JsonDocument json = JsonDocument.Parse(stream, new JsonDocumentOptions { MaxDepth = 8 });
            if (json.RootElement.GetProperty("format").GetString() != Format || json.RootElement.GetProperty("version").GetInt32() != Version)
            {
                throw Damaged(file, "another format or version");
            }

            foreach (JsonProperty entry in json.RootElement.GetProperty("files").EnumerateObject())
            {
                long bytes = entry.Value.GetProperty("bytes").GetInt64();
                string checksum = entry.Value.GetProperty("sha256").GetString() ?? "";
                if (!IsWithin(entry.Name) || !manifest._files.TryAdd(entry.Name, (bytes, checksum)))
                {
                    throw Damaged(file, $"the path '{entry.Name.ReplaceLineEndings(" ")}'");
                }
            }
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw Damaged(file, error.Message.TrimEnd('.'));
        }

        return manifest;
    }

    /// <summary>Compares the folder with the manifest: what is missing, added or changed, each in a few words.</summary>
    public IReadOnlyList<string> Problems(string folder, IConversionProgress progress, CancellationToken cancellation)
    {
        List<string> problems = [];
        foreach ((string path, (long bytes, string checksum)) in _files)
        {
            string file = Path.Combine(folder, path);
            if (!File.Exists(file))
            {
                problems.Add($"{path} is missing");
                continue;
            }

            long size = new FileInfo(file).Length;
            if (size != bytes)
            {
                problems.Add($"{path} has {size} bytes, written were {bytes}");
            }
            else if (Checksum(file, path, progress, cancellation) != checksum)
            {
                problems.Add($"the bytes of {path} have changed");
            }
        }

        problems.AddRange(
            Directory
                .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(folder, file).Replace('\\', '/'))
                .Where(path => path.Contains('/', StringComparison.Ordinal) && !_files.ContainsKey(path))
                .Order(StringComparer.Ordinal)
                .Select(path => $"{path} was not written with the others")
        );
        return problems;
    }

    private static string Checksum(string file, string path, IConversionProgress progress, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        byte[] buffer = new byte[ChunkBytes];
        for (int count; (count = stream.Read(buffer)) > 0;)
        {
            cancellation.ThrowIfCancellationRequested();
            hash.AppendData(buffer.AsSpan(0, count));
            progress.Advance(count, path);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static bool IsWithin(string path) =>
        path.Split('/').All(part => part.Length > 0 && part != "." && part != ".." && part.IndexOfAny(['\\', ':', '\0']) < 0);

    private static ModelException Damaged(string file, string got) =>
        new($"{file}: wanted sizes and checksums as the converter writes them, got {got}; import the model again");
}
