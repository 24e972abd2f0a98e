using System.Globalization;
using System.Text.Json;
using CoGrpo.Model;
using CoGrpo.Model.Images;
using CoGrpo.Rl.Prompts;

namespace CoGrpo.Rl.Benchmarks;

/// <summary>What files the official evaluator of a benchmark reads (specs/reward-models.md 4).</summary>
/// <param name="Benchmark">Which benchmark.</param>
/// <param name="Items">Its prompts.</param>
/// <param name="PicturesPerItem">Pictures that are drawn for each.</param>
/// <param name="PublishedItems">Prompts of the published benchmark.</param>
/// <param name="Format">How pictures are stored.</param>
public sealed record ExportLayout(
    BenchmarkName Benchmark,
    IReadOnlyList<ExportItem> Items,
    int PicturesPerItem,
    int PublishedItems,
    ExportFormat Format
)
{
    private const int Four = 4;

    /// <summary>The four pictures of an item are tiled to one file, 2 x 2.</summary>
    public bool IsTiled => Benchmark == BenchmarkName.Dpg;

    /// <summary>
    /// Reads the published prompts: <c>evaluation_metadata.jsonl</c> of GenEval, the folder of text files of DPG-Bench, the folder of the HPDv2
    /// benchmark. <paramref name="format"/> is for the last, whose files have names of JPEG files with any bytes; the others are PNG.
    /// </summary>
    /// <exception cref="ModelException">The source is not of this form; the message names file and line.</exception>
    public static ExportLayout Read(BenchmarkName benchmark, string source, ExportFormat format)
    {
        ArgumentNullException.ThrowIfNull(source);
        return benchmark switch
        {
            BenchmarkName.GenEval => new(benchmark, GenEval(source), Four, 553, ExportFormat.Png),
            BenchmarkName.Dpg => new(benchmark, Dpg(source), Four, 1065, ExportFormat.Png),
            _ => new(benchmark, Hpd(source), 1, HpdBenchmark.Styles.Count * HpdBenchmark.PublishedPrompts, format),
        };
    }

    /// <summary>
    /// The bytes of the file of <paramref name="pictures"/>, one picture or the four of a tiled item in the order top left, top right, bottom left,
    /// bottom right.
    /// </summary>
    public byte[] Encode(IReadOnlyList<RgbImage> pictures)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        RgbImage picture = IsTiled ? ImageGrid.Render(pictures, 2, padding: 0) : pictures[0];
        return Format == ExportFormat.Jpeg ? JpegWriter.Encode(picture) : PngWriter.Encode(picture);
    }

    private static List<ExportItem> GenEval(string source)
    {
        if (Directory.Exists(source))
        {
            throw new ModelException($"{source}: wanted GenEval's evaluation_metadata.jsonl, got a folder; name the file in its folder prompts");
        }

        List<ExportItem> items = [];
        string[] lines = BenchmarkText.Read(source, "GenEval's evaluation_metadata.jsonl").Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i].Trim();
            if (line.Length > 0)
            {
                int number = items.Count;
                string folder = number.ToString("d5", CultureInfo.InvariantCulture);
                items.Add(
                    new ExportItem(
                        number,
                        number,
                        GenEvalPrompt(source, line, i + 1),
                        [.. Enumerable.Range(0, Four).Select(k => string.Create(CultureInfo.InvariantCulture, $"{folder}/samples/{k:d4}.png"))],
                        [($"{folder}/metadata.jsonl", line + "\n")]
                    )
                );
            }
        }

        return items.Count > 0
            ? items
            : throw new ModelException($"{source}: wanted GenEval's prompts, one JSON object a line, got no line; fetch the file again");
    }

    private static string GenEvalPrompt(string source, string line, int number)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(line);
            if (
                BenchmarkText.Member(json.RootElement, "prompt")?.Trim() is { Length: > 0 and <= PromptFile.Longest } prompt
                && BenchmarkText.Member(json.RootElement, "tag") is { Length: > 0 }
                && json.RootElement.TryGetProperty("include", out JsonElement include)
                && include.ValueKind == JsonValueKind.Array
            )
            {
                return prompt;
            }
        }
        catch (JsonException)
        {
            // Told below, as a line of another form is.
        }

        throw new ModelException($"{source}: wanted a JSON object with tag, prompt and include, got something else in line {number}; fetch GenEval's evaluation_metadata.jsonl again");
    }

    private static List<ExportItem> Dpg(string source)
    {
        if (!Directory.Exists(source))
        {
            throw new ModelException(
                $"{source}: wanted the folder of DPG-Bench's prompts, one .txt file each, there is no such folder; name its folder dpg_bench/prompts"
            );
        }

        List<ExportItem> items = [];
        foreach (string path in Directory.EnumerateFiles(source, "*.txt").Order(StringComparer.Ordinal))
        {
            string id = Path.GetFileNameWithoutExtension(path);

            // The evaluator cuts the name at its first point, and one that starts with a point is a hidden file.
            if (id.Length == 0 || id.Contains('.', StringComparison.Ordinal))
            {
                throw new ModelException($"{path}: wanted a name without further points, since the evaluator reads the item's id up to the first, got {Path.GetFileName(path)}; take other files out of the folder");
            }

            string prompt = BenchmarkText.Read(path, "a prompt of DPG-Bench", 1 << 20).Trim();
            items.Add(prompt.Length is > 0 and <= PromptFile.Longest ? new ExportItem(items.Count, items.Count, prompt, [id + ".png"], [])
                : throw new ModelException($"{path}: wanted a prompt of 1 to {PromptFile.Longest} characters, got {prompt.Length}; fetch it again"));
        }

        return items.Count > 0
            ? items
            : throw new ModelException($"{source}: wanted DPG-Bench's prompts, got no .txt file; name its folder dpg_bench/prompts");
    }

    private static List<ExportItem> Hpd(string source)
    {
        List<ExportItem> items = [];
        foreach (HpdStyle style in HpdBenchmark.Read(source))
        {
            items.AddRange(
                style
                    .Prompts.Select(
                        (prompt, i) =>
                            new ExportItem(items.Count + i, i, prompt, [string.Create(CultureInfo.InvariantCulture, $"{style.Name}/{i:d5}.jpg")], [])
                    )
                    .ToArray()
            );
        }

        return items;
    }
}
