namespace CoGrpo.Runtime.Files;

/// <summary>Several weight files read as one. Owns them.</summary>
public sealed class TensorShards : ITensorSource
{
    private readonly List<ITensorSource> _files;
    private readonly Dictionary<string, SafetensorsTensor> _tensors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ITensorSource> _fileOf = new(StringComparer.Ordinal);

    /// <summary>The files with their names for messages; they are disposed of also when this throws.</summary>
    /// <exception cref="WeightsFolderException">Two files have a tensor of one name.</exception>
    public TensorShards(IReadOnlyList<(string Name, ITensorSource File)> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        _files = [.. files.Select(file => file.File)];
        foreach ((string name, ITensorSource file) in files)
        {
            foreach (SafetensorsTensor tensor in file.Tensors.Values)
            {
                if (!_fileOf.TryAdd(tensor.Name, file))
                {
                    Dispose();
                    throw new WeightsFolderException(
                        name,
                        $"tensor '{tensor.Name}'",
                        "every tensor in one file",
                        "it in two",
                        "fetch the weight files again"
                    );
                }

                _tensors.Add(tensor.Name, tensor);
            }
        }

        Metadata = files.Select(file => file.File.Metadata).FirstOrDefault(metadata => metadata.Count > 0) ?? new Dictionary<string, string>();
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, SafetensorsTensor> Tensors => _tensors;

    /// <summary>Those of the first file that has any.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <inheritdoc/>
    public void ReadBytes(string name, long offset, Span<byte> destination) => _fileOf[name].ReadBytes(name, offset, destination);

    /// <inheritdoc/>
    public void CheckData() => _files.ForEach(file => file.CheckData());

    /// <summary>Closes the files.</summary>
    public void Dispose()
    {
        foreach (ITensorSource file in _files)
        {
            file.Dispose();
        }
    }
}
