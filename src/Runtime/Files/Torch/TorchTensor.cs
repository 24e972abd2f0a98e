namespace CoGrpo.Runtime.Files.Torch;

/// <summary>A tensor of a PyTorch archive: what it is called and what it is, not its data.</summary>
public sealed class TorchTensor
{
    private readonly long[] _shape;

    internal TorchTensor(string name, TorchView view)
    {
        (Name, View) = (name, view);
        _shape = view.Sizes;
    }

    /// <summary>The keys that lead to it, joined by points; from the dictionary on that the caller asked for.</summary>
    public string Name { get; }

    /// <summary>Element type in the file.</summary>
    public SafetensorsType Type => View.Storage.Type;

    /// <summary>Sizes, slowest dimension first; empty for a scalar.</summary>
    public ReadOnlySpan<long> Shape => _shape;

    /// <summary>Number of elements; 1 for a scalar.</summary>
    public long Count => View.Count;

    /// <summary>Bytes of the data in row-major order.</summary>
    public long ByteCount => View.Count * Type.Size();

    /// <summary>
    /// Whether the file holds the elements one after another in row-major order. Others, as transposed ones, are put in order when they are read.
    /// </summary>
    public bool IsContiguous => View.IsContiguous;

    /// <summary>Where the elements are.</summary>
    internal TorchView View { get; }

    /// <summary>Name, type and shape.</summary>
    public override string ToString() => $"{Name} {Type}[{string.Join(",", _shape)}]";
}
