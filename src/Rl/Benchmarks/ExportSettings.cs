using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using CoGrpo.Model;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Rl.Benchmarks;

/// <summary>The settings that decide every byte of an export's pictures, kept beside them so that no export goes on with others.</summary>
public static class ExportSettings
{
    /// <summary>The file's name.</summary>
    public const string FileName = "export.json";

    private const int SampledBytes = 1 << 20;

    /// <summary>Writes <paramref name="settings"/> to <paramref name="folder"/>, which exists, in one step.</summary>
    public static void Write(string folder, IReadOnlyDictionary<string, string> settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var json = new JsonObject(
            settings
                .OrderBy(setting => setting.Key, StringComparer.Ordinal)
                .Select(setting => KeyValuePair.Create(setting.Key, (JsonNode?)setting.Value))
        );
        AtomicFile.WriteAllText(Path.Combine(folder, FileName), json.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n");
    }

    /// <summary>Compares <paramref name="settings"/> with those of the export that is in <paramref name="folder"/>, if there is one.</summary>
    /// <param name="folder">Of the export.</param>
    /// <param name="settings">Names and values.</param>
    /// <param name="hasPictures">There are pictures already.</param>
    /// <exception cref="ModelException">Others are there, they cannot be read, or there are pictures without settings; the message names every
    /// difference.</exception>
    public static void Check(string folder, IReadOnlyDictionary<string, string> settings, bool hasPictures)
    {
        ArgumentNullException.ThrowIfNull(settings);
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            if (hasPictures)
            {
                throw new ModelException(
                    $"{folder}: wanted an empty folder or an export with its {FileName}, got pictures of unknown settings; choose another --output"
                );
            }

            return;
        }

        Dictionary<string, string> found = Read(path);
        string[] differences =
        [
            .. settings
                .Keys.Union(found.Keys)
                .Order(StringComparer.Ordinal)
                .Where(key => settings.GetValueOrDefault(key) != found.GetValueOrDefault(key))
                .Select(key => $"{key} {found.GetValueOrDefault(key, "none")}, now {settings.GetValueOrDefault(key, "none")}"),
        ];
        if (differences.Length > 0)
        {
            throw new ModelException($"{path}: wanted the settings of the pictures that are there, got others: {string.Join("; ", differences)}; go on with those settings, or choose another --output");
        }
    }

    /// <summary>Tells one list of texts from another.</summary>
    public static string Fingerprint(IEnumerable<string> texts)
    {
        var hash = new XxHash3();
        foreach (string text in texts)
        {
            // Lengths keep texts apart.
            hash.Append(BitConverter.GetBytes(text.Length));
            hash.Append(MemoryMarshal.AsBytes(text.AsSpan()));
        }

        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    /// <summary>
    /// Tells the weights of one file or folder from others by names, sizes and the first and last MiB of each file; training changes them all.
    /// </summary>
    public static string WeightsFingerprint(string path)
    {
        string[] files = Directory.Exists(path)
            ?
            [
                .. Directory
                    .EnumerateFiles(path, "*", SearchOption.AllDirectories)
                    .Where(file => Path.GetExtension(file) is ".safetensors" or ".bin" or ".pt" or ".pth" or ".json")
                    .Order(StringComparer.Ordinal),
            ]
            : [path];
        var hash = new XxHash3();
        byte[] buffer = new byte[SampledBytes];
        foreach (string file in files)
        {
            using FileStream stream = File.OpenRead(file);
            hash.Append(MemoryMarshal.AsBytes(Path.GetFileName(file).AsSpan()));
            hash.Append(BitConverter.GetBytes(stream.Length));
            hash.Append(buffer.AsSpan(0, stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false)));
            stream.Position = Math.Max(0, stream.Length - SampledBytes);
            hash.Append(buffer.AsSpan(0, stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false)));
        }

        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    private static Dictionary<string, string> Read(string path)
    {
        string text = BenchmarkText.Read(path, "the settings of an export", 1 << 20);
        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, string>>(text) ?? throw new JsonException();
        }
        catch (JsonException)
        {
            throw new ModelException($"{path}: wanted the settings of an export, got something else; choose another --output");
        }
    }
}
