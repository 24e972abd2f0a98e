using CoGrpo.Model.Clip;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Model.Conversion;

/// <summary>
/// The text tower of an open_clip model under the names of Hugging Face's (specs/reward-models.md 2.3): the joint input projection of attention in
/// three parts, the output projection transposed. The picture tower is left out. Owns the source.
/// </summary>
internal sealed class OpenClipTextTower : ITensorSource
{
    private const string Blocks = "transformer.resblocks.";
    private const string Layers = "text_model.encoder.layers.";
    private const string JointWeight = "attn.in_proj_weight";
    private const string JointBias = "attn.in_proj_bias";
    private const string Projection = "text_projection";

    private readonly ITensorSource _source;
    private readonly Dictionary<string, SafetensorsTensor> _tensors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (string Name, long Offset)> _places = new(StringComparer.Ordinal);
    private byte[]? _projection;

    /// <summary>The tower of a source for which <see cref="IsOne"/> holds. Tensors without a counterpart keep their names.</summary>
    /// <exception cref="ModelException">Two tensors are one by either library's name; the source is disposed of.</exception>
    public OpenClipTextTower(ITensorSource source)
    {
        _source = source;
        try
        {
            foreach (SafetensorsTensor tensor in source.Tensors.Values.Where(tensor => !IsOutsideTheTower(tensor.Name)))
            {
                Map(tensor);
            }
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, SafetensorsTensor> Tensors => _tensors;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Metadata => _source.Metadata;

    /// <summary>Whether the names are open_clip's.</summary>
    public static bool IsOne(ITensorSource source) =>
        source.Tensors.ContainsKey(ClipTensorNames.Text[0].OpenClip) && source.Tensors.ContainsKey(ClipTensorNames.Text[1].OpenClip);

    /// <inheritdoc/>
    public void ReadBytes(string name, long offset, Span<byte> destination)
    {
        (string own, long begin) = _places[name];
        if (own != Projection)
        {
            _source.ReadBytes(own, begin + offset, destination);
            return;
        }

        _projection ??= TransposedTensor.Read(_source, _source.Tensors[own]);
        _projection.AsSpan(checked((int)offset), destination.Length).CopyTo(destination);
    }

    /// <inheritdoc/>
    public void CheckData() => _source.CheckData();

    /// <summary>Closes the source.</summary>
    public void Dispose() => _source.Dispose();

    private static bool IsOutsideTheTower(string name) =>
        name is "logit_scale" or "logit_bias" or "attn_mask" || name.StartsWith("visual.", StringComparison.Ordinal);

    private void Map(SafetensorsTensor tensor)
    {
        string name = tensor.Name;
        if (name == Projection && tensor.Shape.Length == 2)
        {
            Add("text_projection.weight", tensor, 0, tensor.Shape[1], tensor.Shape[0]);
            return;
        }

        int point = name.StartsWith(Blocks, StringComparison.Ordinal) ? name.IndexOf('.', Blocks.Length) : -1;
        if (point < 0)
        {
            Add(ClipTensorNames.Text.FirstOrDefault(pair => pair.OpenClip == name).HuggingFace ?? name, tensor, 0, tensor.Shape);
            return;
        }

        string layer = $"{Layers}{name[Blocks.Length..point]}.", inside = name[(point + 1)..];
        if (inside is JointWeight or JointBias && tensor.Shape.Length > 0 && tensor.Shape[0] % ClipTensorNames.InputProjections.Length == 0)
        {
            long[] shape = tensor.Shape.ToArray();
            shape[0] /= ClipTensorNames.InputProjections.Length;
            for (int part = 0; part < ClipTensorNames.InputProjections.Length; part++)
            {
                Add(
                    $"{layer}self_attn.{ClipTensorNames.InputProjections[part]}.{(inside == JointWeight ? "weight" : "bias")}",
                    tensor,
                    part * (tensor.ByteCount / ClipTensorNames.InputProjections.Length),
                    shape
                );
            }

            return;
        }

        (string OpenClip, string HuggingFace) pair = ClipTensorNames.InBlock.FirstOrDefault(entry =>
            inside.StartsWith($"{entry.OpenClip}.", StringComparison.Ordinal)
        );
        Add(pair.OpenClip is null ? name : layer + pair.HuggingFace + inside[pair.OpenClip.Length..], tensor, 0, tensor.Shape);
    }

    private void Add(string name, SafetensorsTensor source, long offset, params ReadOnlySpan<long> shape)
    {
        if (!_tensors.TryAdd(name, new SafetensorsTensor(name, source.Type, shape)))
        {
            throw new ModelException($"text encoder weights: wanted the names of one library, got {name} and {source.Name}, which are the same tensor; use the file as it was published");
        }

        _places.Add(name, (source.Name, offset));
    }
}
