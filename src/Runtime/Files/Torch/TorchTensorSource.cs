namespace CoGrpo.Runtime.Files.Torch;

/// <summary>
/// The tensors of a PyTorch archive as other weight files give them. Of a checkpoint that holds a state dictionary among other things, those of the
/// dictionary; the prefix <c>module.</c> of
/// parallel training, where all names have it, is left out. Owns the archive.
/// </summary>
public sealed class TorchTensorSource : ITensorSource
{
    private const string Dictionary = "state_dict";
    private const string Parallel = "module.";

    // What the library that reads safetensors back wants to find in them.
    private static readonly Dictionary<string, string> Notes = new() { ["format"] = "pt" };

    private readonly TorchArchive _archive;
    private readonly Dictionary<string, TorchTensor> _own = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SafetensorsTensor> _tensors = new(StringComparer.Ordinal);

    /// <summary>The tensors of an archive, which is disposed of also when this throws.</summary>
    /// <exception cref="TorchArchiveException">Its state dictionary is none.</exception>
    public TorchTensorSource(TorchArchive archive)
    {
        ArgumentNullException.ThrowIfNull(archive);
        _archive = archive;
        try
        {
            IReadOnlyList<TorchTensor> tensors = archive.Keys.Contains(Dictionary) ? archive.TensorsIn(Dictionary) : archive.Tensors;
            int prefix = tensors.All(tensor => tensor.Name.StartsWith(Parallel, StringComparison.Ordinal)) ? Parallel.Length : 0;
            foreach (TorchTensor tensor in tensors)
            {
                string name = tensor.Name[prefix..];
                _own.Add(name, tensor);
                _tensors.Add(name, new SafetensorsTensor(name, tensor.Type, tensor.Shape));
            }
        }
        catch
        {
            archive.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, SafetensorsTensor> Tensors => _tensors;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Metadata => Notes;

    /// <summary>Opens the file at <paramref name="path"/>.</summary>
    /// <exception cref="TorchArchiveException">It cannot be opened, is malformed, or holds something else than data.</exception>
    public static TorchTensorSource Open(string path) => new(TorchArchive.Open(path));

    /// <inheritdoc/>
    public void ReadBytes(string name, long offset, Span<byte> destination) => _archive.ReadBytes(_own[name], offset, destination);

    /// <inheritdoc/>
    public void CheckData() => _archive.Verify();

    /// <summary>Closes the file.</summary>
    public void Dispose() => _archive.Dispose();
}
