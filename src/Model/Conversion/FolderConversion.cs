using CoGrpo.Model.Schedule;
using CoGrpo.Runtime.Backends.Plan;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Model.Conversion;

/// <summary>
/// Published model folders in and out. Both ways the layout is the published one, the networks' weights in one file each; a folder of this project
/// has checksums and perhaps a learned schedule besides. Weights stream through: memory does not grow with the model. Everything is checked before
/// the first byte is written, and the folder appears whole or not at all.
/// </summary>
public static class FolderConversion
{
    /// <summary>Copies a published folder, or one of this project, with checksums. Weights that keep their type keep their bytes.</summary>
    /// <param name="source">The folder.</param>
    /// <param name="output">Folder to make, which must not exist.</param>
    /// <param name="type">F32, F16 or BF16 for all weights, or null to keep each tensor's.</param>
    /// <param name="options">What to take from where.</param>
    /// <param name="progress">Counts bytes of weights.</param>
    /// <param name="cancellation">Stops the work and leaves nothing behind.</param>
    /// <exception cref="ModelException">The source is not a whole model, or the output cannot be made.</exception>
    /// <exception cref="WeightsFileException">A weight file is damaged, or a link leads out of the folder.</exception>
    public static IReadOnlyList<ConvertedNetwork> Import(
        string source,
        string output,
        SafetensorsType? type,
        SourceOptions options,
        IConversionProgress progress,
        CancellationToken cancellation
    ) => Convert(source, output, type, options, isExport: false, progress, cancellation);

    /// <summary>
    /// Writes the published layout alone, for the original pipeline: without checksums and learned schedule, and with the keys in configurations that
    /// the original libraries write and this project's training does not. Files that have them, and all weights that keep their type, keep their
    /// bytes.
    /// </summary>
    /// <inheritdoc cref="Import"/>
    public static IReadOnlyList<ConvertedNetwork> Export(
        string source,
        string output,
        SafetensorsType? type,
        SourceOptions options,
        IConversionProgress progress,
        CancellationToken cancellation
    ) => Convert(source, output, type, options, isExport: true, progress, cancellation);

    private static List<ConvertedNetwork> Convert(
        string source,
        string output,
        SafetensorsType? type,
        SourceOptions options,
        bool isExport,
        IConversionProgress progress,
        CancellationToken cancellation
    )
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(progress);
        NewFolder.Check(output, 0);
        using ModelFolder folder = ModelFolder.Open(source, options);
        folder.RequireWhole();
        string policy = Path.Combine(folder.Root, SchedulePolicyFolder.Name);
        bool hasPolicy = !isExport && Directory.Exists(policy);
        if (hasPolicy)
        {
            CheckPolicy(folder.Root, policy);
        }

        List<(OpenNetwork Open, IReadOnlyList<SafetensorsTensor> Tensors)> networks =
        [
            .. folder.Networks.Select(open => (open, NetworkCopy.Written(open.Source, open.Expected, type))),
        ];
        foreach (OpenNetwork open in folder.Networks)
        {
            open.Source.CheckData();
        }

        long bytes = networks.Sum(network => network.Tensors.Sum(tensor => tensor.ByteCount));
        NewFolder.Check(output, bytes);
        progress.Begin(bytes);
        AtomicDirectory.Write(output, aside =>
        {
            var manifest = new FolderManifest();
            var copy = new NetworkCopy(progress, cancellation);
            foreach ((string path, string file) in folder.Files)
            {
                WriteFile(aside, path, manifest, stream => CopyFile(file, stream));
            }

                foreach ((OpenNetwork open, IReadOnlyList<SafetensorsTensor> tensors) in networks)
                {
                    NetworkFolder network = open.Network;
                    WriteFile(
                        aside,
                        $"{network.Name}/{NetworkFolder.ConfigName}",
                        manifest,
                        stream => stream.Write(isExport ? network.PublishedConfig(open.ConfigPath) : File.ReadAllBytes(open.ConfigPath))
                    );
                    WriteFile(
                        aside,
                        $"{network.Name}/{network.Stem}.safetensors",
                        manifest,
                        stream => copy.Write(network.Name, open.Source, tensors, stream)
                    );
                }

            if (hasPolicy)
            {
                foreach (string name in SchedulePolicyFolder.Files)
                {
                    WriteFile(aside, $"{SchedulePolicyFolder.Name}/{name}", manifest, stream => CopyFile(Path.Combine(policy, name), stream));
                }
            }

            if (!isExport)
            {
                File.WriteAllText(Path.Combine(aside, FolderManifest.FileName), manifest.Text());
            }
        });
        return [.. networks.Select(network => ConvertedNetwork.Of(network.Open.Network.Name, network.Tensors))];
    }

    private static void CheckPolicy(string root, string policy)
    {
        foreach (string name in SchedulePolicyFolder.Files)
        {
            FolderLinks.Check(root, Path.Combine(policy, name));
        }

        SchedulePolicyFolder.Load(policy, new PlanBackend()).Dispose();
    }

    private static void WriteFile(string folder, string path, FolderManifest manifest, Action<Stream> write)
    {
        string file = Path.Combine(folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        using var stream = new FileStream(file, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 16);
        using var checksum = new ChecksumStream(stream);
        write(checksum);
        manifest.Add(path, checksum.Length, checksum.Checksum());
    }

    private static void CopyFile(string file, Stream stream)
    {
        using FileStream from = File.OpenRead(file);
        from.CopyTo(stream);
    }
}
