using System.Text.Json;
using System.Text.RegularExpressions;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace CoGrpo.Tests.Rl.Benchmarks;

/// <summary>
/// Walks a folder of pictures as the official evaluators do, and lists whatever they would stumble over. Written from their rules
/// (specs/reward-models.md 4), not from the code that writes the folders; pictures are opened by another reader.
/// </summary>
internal static partial class OfficialLayouts
{
    /// <summary>
    /// GenEval: takes every folder of digits, one JSON document in metadata.jsonl, and every file in samples whose name starts with digits and .png.
    /// </summary>
    public static List<string> GenEval(string root, string[] metadata, int width, int height)
    {
        List<string> problems = [];
        string[] folders = [.. Directory.EnumerateDirectories(root).Select(path => Path.GetFileName(path)!)];
        Compare(problems, "folders", Enumerable.Range(0, metadata.Length).Select(i => $"{i:00000}"), folders);
        Compare(problems, "files beside the folders", [], Directory.EnumerateFiles(root).Select(path => Path.GetFileName(path)!));
        foreach (string folder in folders.Where(name => name.All(char.IsAsciiDigit)))
        {
            // json.load: a second document after the first would be an error.
            using JsonDocument one = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(root, folder, "metadata.jsonl")));
            using JsonDocument wanted = JsonDocument.Parse(metadata[int.Parse(folder, System.Globalization.CultureInfo.InvariantCulture)]);
            if (!JsonElement.DeepEquals(one.RootElement, wanted.RootElement))
            {
                problems.Add($"{folder}: other metadata");
            }

            string[] samples =
            [
                .. Directory.EnumerateFileSystemEntries(Path.Combine(root, folder, "samples")).Select(path => Path.GetFileName(path)!),
            ];
            if (samples.Count(name => Sample().IsMatch(name)) != 4 || samples.Length != 4)
            {
                problems.Add($"{folder}: {string.Join(' ', samples)}");
            }

            foreach (string sample in samples)
            {
                Picture(problems, Path.Combine(root, folder, "samples", sample), width, height, "PNG");
            }
        }

        return problems;
    }

    /// <summary>DPG-Bench: every entry of the folder is a picture named after an item, of two squares by two.</summary>
    public static List<string> Dpg(string root, string[] items, int resolution)
    {
        List<string> problems = [];
        string[] entries = [.. Directory.EnumerateFileSystemEntries(root).Select(path => Path.GetFileName(path)!)];
        Compare(problems, "items", items, entries.Select(name => name.Split('.')[0]));
        foreach (string entry in entries)
        {
            Picture(problems, Path.Combine(root, entry), 2 * resolution, 2 * resolution, "PNG");
        }

        return problems;
    }

    /// <summary>HPSv2: every entry of the root is a style; pictures of it are 00000.jpg and on, by content of any format.</summary>
    public static List<string> Hpd(string root, int prompts, int width, int height, string format)
    {
        List<string> problems = [];
        string[] styles = [.. Directory.EnumerateFileSystemEntries(root).Select(path => Path.GetFileName(path)!)];
        Compare(problems, "styles", ["anime", "concept-art", "paintings", "photo"], styles);
        foreach (string style in styles)
        {
            string[] files = [.. Directory.EnumerateFileSystemEntries(Path.Combine(root, style)).Select(path => Path.GetFileName(path)!)];
            Compare(problems, style, Enumerable.Range(0, prompts).Select(i => $"{i:00000}.jpg"), files);
            foreach (string file in files)
            {
                Picture(problems, Path.Combine(root, style, file), width, height, format);
            }
        }

        return problems;
    }

    private static void Compare(List<string> problems, string what, IEnumerable<string> wanted, IEnumerable<string> found)
    {
        string[] one = [.. wanted.Order(StringComparer.Ordinal)], other = [.. found.Order(StringComparer.Ordinal)];
        if (!one.SequenceEqual(other))
        {
            problems.Add($"{what}: wanted {string.Join(' ', one)}, got {string.Join(' ', other)}");
        }
    }

    private static void Picture(List<string> problems, string path, int width, int height, string format)
    {
        using Image<Rgb24> image = Image.Load<Rgb24>(path, out SixLabors.ImageSharp.Formats.IImageFormat found);
        if ((image.Width, image.Height, found.Name) != (width, height, format))
        {
            problems.Add($"{path}: {found.Name} of {image.Width} x {image.Height}");
        }
    }

    [GeneratedRegex(@"^\d+\.png")]
    private static partial Regex Sample();
}
