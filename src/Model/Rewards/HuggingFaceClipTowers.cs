using System.Text.RegularExpressions;
using CoGrpo.Model.Clip;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Model.Rewards;

/// <summary>
/// CLIP towers of a file with Hugging Face's names under those of open_clip (specs/reward-models.md 2.3): the three input projections of attention as
/// one, the projections into the joint embedding transposed, buffers of positions left out. Other tensors keep their names. Owns the source.
/// </summary>
internal sealed partial class HuggingFaceClipTowers : ITensorSource
{
    private static readonly Dictionary<string, string> Outside = new(
        ClipTensorNames.Text.Select(pair => KeyValuePair.Create(pair.HuggingFace, pair.OpenClip)),
        StringComparer.Ordinal
    )
    {
        ["text_projection.weight"] = "text_projection",
        ["vision_model.embeddings.class_embedding"] = "visual.class_embedding",
        ["vision_model.embeddings.patch_embedding.weight"] = "visual.conv1.weight",
        ["vision_model.embeddings.position_embedding.weight"] = "visual.positional_embedding",
        ["vision_model.pre_layrnorm.weight"] = "visual.ln_pre.weight",
        ["vision_model.pre_layrnorm.bias"] = "visual.ln_pre.bias",
        ["vision_model.post_layernorm.weight"] = "visual.ln_post.weight",
        ["vision_model.post_layernorm.bias"] = "visual.ln_post.bias",
        ["visual_projection.weight"] = "visual.proj",
    };

    private static readonly Dictionary<string, string> InLayer = ClipTensorNames.InBlock.ToDictionary(
        pair => pair.HuggingFace,
        pair => pair.OpenClip,
        StringComparer.Ordinal
    );

    private readonly ITensorSource _source;
    private readonly string _prefix;
    private readonly Dictionary<string, SafetensorsTensor> _tensors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string[]> _parts = new(StringComparer.Ordinal);
    private readonly HashSet<string> _transposed = new(StringComparer.Ordinal);
    private (string Name, byte[] Bytes) _inOrder = ("", []);

    private HuggingFaceClipTowers(ITensorSource source, string prefix, string path)
    {
        (_source, _prefix) = (source, prefix);
        foreach (SafetensorsTensor tensor in source.Tensors.Values)
        {
            Map(tensor, path);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, SafetensorsTensor> Tensors => _tensors;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Metadata => _source.Metadata;

    /// <summary>The source itself, or its towers if it has Hugging Face's names, whatever stands before all of them.</summary>
    /// <exception cref="ModelException">Two tensors are one by either library's name.</exception>
    public static ITensorSource Of(ITensorSource source, string path)
    {
        string embedding = ClipTensorNames.Text[0].HuggingFace;
        string? known = source.Tensors.Keys.FirstOrDefault(name => name.EndsWith(embedding, StringComparison.Ordinal));
        return known is null ? source : new HuggingFaceClipTowers(source, known[..^embedding.Length], path);
    }

    /// <inheritdoc/>
    public void ReadBytes(string name, long offset, Span<byte> destination)
    {
        string[] parts = _parts[name];
        if (_transposed.Contains(name))
        {
            if (_inOrder.Name != name)
            {
                _inOrder = (name, TransposedTensor.Read(_source, _source.Tensors[parts[0]]));
            }

            _inOrder.Bytes.AsSpan(checked((int)offset), destination.Length).CopyTo(destination);
            return;
        }

        long bytes = _tensors[name].ByteCount / parts.Length;
        while (!destination.IsEmpty)
        {
            int part = (int)(offset / bytes), count = (int)Math.Min(destination.Length, bytes - (offset % bytes));
            _source.ReadBytes(parts[part], offset % bytes, destination[..count]);
            offset += count;
            destination = destination[count..];
        }
    }

    /// <inheritdoc/>
    public void CheckData() => _source.CheckData();

    /// <summary>Closes the source.</summary>
    public void Dispose() => _source.Dispose();

    [GeneratedRegex(@"^(text|vision)_model\.encoder\.layers\.(\d+)\.(.+)\.(weight|bias)\z", RegexOptions.CultureInvariant)]
    private static partial Regex Layer();

    private void Map(SafetensorsTensor tensor, string path)
    {
        if (!tensor.Name.StartsWith(_prefix, StringComparison.Ordinal))
        {
            Add(tensor.Name, tensor, path, [tensor.Name], tensor.Shape);
            return;
        }

        string name = tensor.Name[_prefix.Length..];
        if (name is "text_model.embeddings.position_ids" or "vision_model.embeddings.position_ids")
        {
            return;
        }

        if (Outside.TryGetValue(name, out string? openClip))
        {
            bool transposed = openClip is "text_projection" or "visual.proj" && tensor.Shape.Length == 2;
            Add(_prefix + openClip, tensor, path, [tensor.Name], transposed ? [tensor.Shape[1], tensor.Shape[0]] : tensor.Shape);
            if (transposed)
            {
                _transposed.Add(_prefix + openClip);
            }

            return;
        }

        Match layer = Layer().Match(name);
        string block = $"{_prefix}{(layer.Groups[1].Value == "vision" ? "visual." : "")}transformer.resblocks.{layer.Groups[2].Value}",
            inside = layer.Groups[3].Value,
            kind = layer.Groups[4].Value;
        if (layer.Success && InLayer.TryGetValue(inside, out string? known))
        {
            Add($"{block}.{known}.{kind}", tensor, path, [tensor.Name], tensor.Shape);
        }
        else if (layer.Success && Joint(tensor, inside) is { } joint)
        {
            // Once for the three.
            if (inside.EndsWith(ClipTensorNames.InputProjections[0], StringComparison.Ordinal))
            {
                Add(
                    $"{block}.attn.in_proj_{kind}",
                    tensor,
                    path,
                    joint,
                    [ClipTensorNames.InputProjections.Length * tensor.Shape[0], .. tensor.Shape[1..]]
                );
            }
        }
        else
        {
            Add(tensor.Name, tensor, path, [tensor.Name], tensor.Shape);
        }
    }

    /// <summary>The names of the three input projections that a tensor is one of, if they are all there and alike.</summary>
    private string[]? Joint(SafetensorsTensor tensor, string inside)
    {
        string? own = ClipTensorNames.InputProjections.FirstOrDefault(projection => inside == $"self_attn.{projection}");
        string[]? names = own is null
            ? null
            :
            [
                .. ClipTensorNames.InputProjections.Select(projection =>
                    tensor.Name.Replace($".{own}.", $".{projection}.", StringComparison.Ordinal)
                ),
            ];
        return
            names is not null
            && tensor.Shape.Length > 0
            && names.All(name =>
                _source.Tensors.TryGetValue(name, out SafetensorsTensor? other)
                && other.Type == tensor.Type
                && other.Shape.SequenceEqual(tensor.Shape)
            )
            ? names
            : null;
    }

    private void Add(string name, SafetensorsTensor tensor, string path, string[] parts, ReadOnlySpan<long> shape)
    {
        if (!_parts.TryAdd(name, parts))
        {
            throw new ModelException(
                $"{path}: wanted the names of one library, got {name} and {tensor.Name}, which are the same tensor; use the file as it was published"
            );
        }

        _tensors.Add(name, new SafetensorsTensor(name, tensor.Type, shape));
    }
}
