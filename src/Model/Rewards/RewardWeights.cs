using CoGrpo.Runtime.Files;

namespace CoGrpo.Model.Rewards;

/// <summary>
/// The tensors of a reward network's file under the names of the network: a leading <c>module.</c>, which a network saved while wrapped for
/// data-parallel training has before every name, or <c>mps.</c> is left out, CLIP towers have open_clip's names where the file has Hugging Face's,
/// and a scalar is one element.
/// </summary>
internal sealed class RewardWeights : ITensorSource
{
    // Data-parallel training, and the class of a repository of copies in safetensors.
    private static readonly string[] Wrappers = ["module.", "mps."];

    private readonly ITensorSource _source;
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SafetensorsTensor> _tensors = new(StringComparer.Ordinal);

    private RewardWeights(ITensorSource source, string path)
    {
        _source = source;
        foreach (SafetensorsTensor tensor in source.Tensors.Values)
        {
            string wrapper = Wrappers.FirstOrDefault(wrapper => tensor.Name.StartsWith(wrapper, StringComparison.Ordinal)) ?? "";
            string name = tensor.Name[wrapper.Length..];
            ReadOnlySpan<long> shape = tensor.Shape.IsEmpty ? [1] : tensor.Shape;
            if (!_names.TryAdd(name, tensor.Name))
            {
                throw new ModelException($"{path}: wanted each tensor once, got {name} with and without a leading {string.Join(" or ", Wrappers)}; write the file with one of the two");
            }

            _tensors.Add(name, new SafetensorsTensor(name, tensor.Type, shape));
        }
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, SafetensorsTensor> Tensors => _tensors;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Metadata => _source.Metadata;

    /// <summary>Opens the file at <paramref name="path"/>.</summary>
    /// <exception cref="ModelException">A tensor is there twice.</exception>
    /// <exception cref="WeightsFileException">The file is missing or damaged.</exception>
    public static ITensorSource Open(string path)
    {
        ITensorSource source = WeightsFolder.OpenFile(path);
        try
        {
            source = new RewardWeights(source, path);
            return HuggingFaceClipTowers.Of(source, path);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void ReadBytes(string name, long offset, Span<byte> destination) =>
        _source.ReadBytes(_names.GetValueOrDefault(name, name), offset, destination);

    /// <inheritdoc/>
    public void CheckData() => _source.CheckData();

    /// <inheritdoc/>
    public void Dispose() => _source.Dispose();
}
