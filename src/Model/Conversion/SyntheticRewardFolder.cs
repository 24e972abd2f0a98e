using CoGrpo.Runtime.Files;
using CoGrpo.Runtime.Files.Torch;

namespace CoGrpo.Model.Conversion;

/// <summary>
/// Writes a folder with the file of a reward network as it was published, names, shapes and form, with seeded weights: to try scoring and training at
/// full size without the published weights. Streams; memory is a few tens of megabytes at any size.
/// </summary>
public static class SyntheticRewardFolder
{
    /// <summary>
    /// Writes the folder, which appears whole or not at all. Equal arguments give equal bytes; values do not depend on the form of the file.
    /// </summary>
    /// <param name="folder">Must not exist.</param>
    /// <param name="reward">Names and shapes.</param>
    /// <param name="archive">A PyTorch archive instead of safetensors.</param>
    /// <param name="seed">Of the weights.</param>
    /// <param name="type">F32, F16 or BF16.</param>
    /// <param name="progress">Counts bytes of weights.</param>
    /// <param name="cancellation">Stops the work and leaves nothing behind.</param>
    /// <exception cref="ModelException">The folder exists, or the disk has not the room.</exception>
    public static void Write(
        string folder,
        SyntheticReward reward,
        bool archive,
        ulong seed,
        SafetensorsType type,
        IConversionProgress progress,
        CancellationToken cancellation
    )
    {
        ArgumentNullException.ThrowIfNull(reward);
        ArgumentNullException.ThrowIfNull(progress);
        SafetensorsTensor[] tensors = [.. reward.Tensors.Select(tensor => new SafetensorsTensor(tensor.Name, type, tensor.Shape))];
        long bytes = tensors.Sum(tensor => tensor.ByteCount);
        NewFolder.Check(folder, bytes);
        progress.Begin(bytes);
        AtomicDirectory.Write(folder, aside =>
        {
            if (reward.Configuration is { } configuration)
            {
                File.WriteAllText(Path.Combine(aside, NetworkFolder.ConfigName), configuration);
            }

            using var stream = new FileStream(Path.Combine(aside, reward.FileStem + (archive ? ".pt" : ".safetensors")), FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 16);
            if (archive)
            {
                using var writer = new TorchArchiveWriter(stream, tensors, reward.Key);
                byte[] piece = [];
                SyntheticWeights.Stream(tensors, tensors, seed, (_, values) =>
                {
                    Array.Resize(ref piece, values.Length * type.Size());
                    ElementConversion.FromFloat32(type, values, piece);
                    writer.WriteBytes(piece);
                }, progress, cancellation);
            }
            else
            {
                var writer = new SafetensorsWriter(stream, tensors, SyntheticFolder.Metadata);
                SyntheticWeights.Stream(tensors, writer.Tensors, seed, (tensor, values) => writer.WriteFloat32(tensor.Name, values), progress, cancellation);
                writer.Complete();
            }
        });
    }
}
