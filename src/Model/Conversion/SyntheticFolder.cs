using System.Text.Json.Nodes;
using CoGrpo.Model.Text;
using CoGrpo.Model.Tokenizers;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Model.Conversion;

/// <summary>
/// Writes a folder as the published ones are (specs/meissonic.md 0.1), with the published names, shapes, configurations and file sizes and with
/// seeded weights: to try conversion, planning and sampling at full size without the published weights. Streams; memory is a few tens of megabytes at
/// any size.
/// </summary>
public static class SyntheticFolder
{
    /// <summary>What the library that reads safetensors back wants to find in them.</summary>
    internal static readonly IReadOnlyDictionary<string, string> Metadata = new Dictionary<string, string> { ["format"] = "pt" };

    /// <summary>Writes the folder, which appears whole or not at all. Equal arguments give equal bytes, in F32 the same values as in any other type
    /// before rounding.</summary>
    /// <param name="folder">Must not exist.</param>
    /// <param name="model">Architectures.</param>
    /// <param name="seed">Of the weights.</param>
    /// <param name="type">F32, F16 or BF16.</param>
    /// <param name="shards">Weight files of each network.</param>
    /// <param name="progress">Counts bytes of weights.</param>
    /// <param name="cancellation">Stops the work and leaves nothing behind.</param>
    /// <exception cref="ModelException">The folder exists, or the disk has not the room.</exception>
    public static void Write(
        string folder,
        SyntheticModel model,
        ulong seed,
        SafetensorsType type,
        int shards,
        IConversionProgress progress,
        CancellationToken cancellation
    )
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(progress);
        (NetworkFolder Network, JsonObject Config, IReadOnlyList<SafetensorsTensor> Tensors)[] networks =
        [
            (NetworkFolder.Transformer, PublishedText.Transformer(model.Transformer), NetworkFolder.TensorsOf(model.Transformer)),
            (NetworkFolder.PictureModel, PublishedText.Pictures(model.Pictures), NetworkFolder.TensorsOf(model.Pictures)),
            (NetworkFolder.TextEncoder, PublishedText.Text(model.Text), NetworkFolder.TensorsOf(model.Text)),
        ];
        long bytes = networks.Sum(network => network.Tensors.Sum(tensor => tensor.Count)) * type.Size();
        NewFolder.Check(folder, bytes);
        progress.Begin(bytes);
        AtomicDirectory.Write(folder, aside =>
        {
            WriteSmallFiles(aside, model);
            ulong place = 0;
            foreach ((NetworkFolder network, JsonObject config, IReadOnlyList<SafetensorsTensor> tensors) in networks)
            {
                string inside = Path.Combine(aside, network.Name);
                Directory.CreateDirectory(inside);
                File.WriteAllText(Path.Combine(inside, NetworkFolder.ConfigName), PublishedText.Of(config));
                WriteWeights(inside, network.Stem, [.. tensors.Select(tensor => new SafetensorsTensor(tensor.Name, type, tensor.Shape))], seed + (place++ << 32), shards, progress, cancellation);
            }
        });
    }

    private static void WriteSmallFiles(string folder, SyntheticModel model)
    {
        string tokenizer = Path.Combine(folder, "tokenizer"), scheduler = Path.Combine(folder, "scheduler");
        Directory.CreateDirectory(tokenizer);
        Directory.CreateDirectory(scheduler);
        BytePairVocabulary vocabulary = BytePairVocabulary.Published;
        File.WriteAllText(Path.Combine(folder, "model_index.json"), PublishedText.Of(PublishedText.ModelIndex()));
        File.WriteAllText(Path.Combine(scheduler, "scheduler_config.json"), PublishedText.Of(PublishedText.Scheduler(model.Transformer)));
        File.WriteAllText(Path.Combine(tokenizer, "tokenizer_config.json"), PublishedText.Of(PublishedText.Tokenizer(vocabulary)));
        File.WriteAllText(Path.Combine(tokenizer, "special_tokens_map.json"), PublishedText.Of(PublishedText.SpecialTokens()));
        File.WriteAllText(Path.Combine(tokenizer, "vocab.json"), PublishedText.Vocabulary(vocabulary));
        using Stream merges = TextResource.Open("merges.txt");
        using FileStream copy = File.Create(Path.Combine(tokenizer, "merges.txt"));
        merges.CopyTo(copy);
    }

    private static void WriteWeights(
        string folder,
        string stem,
        IReadOnlyList<SafetensorsTensor> tensors,
        ulong seed,
        int shards,
        IConversionProgress progress,
        CancellationToken cancellation
    )
    {
        IReadOnlyList<(string File, IReadOnlyList<SafetensorsTensor> Tensors)> files = ShardLayout.Split(stem, tensors, shards);
        foreach ((string file, IReadOnlyList<SafetensorsTensor> inside) in files)
        {
            using var stream = new FileStream(Path.Combine(folder, file), FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 16);
            var writer = new SafetensorsWriter(stream, inside, Metadata);
            SyntheticWeights.Stream(
                tensors,
                writer.Tensors,
                seed,
                (tensor, values) => writer.WriteFloat32(tensor.Name, values),
                progress,
                cancellation
            );
            writer.Complete();
        }

        if (files.Count > 1)
        {
            File.WriteAllText(Path.Combine(folder, $"{stem}.safetensors.index.json"), PublishedText.Of(ShardLayout.Index(files)));
        }
    }
}
