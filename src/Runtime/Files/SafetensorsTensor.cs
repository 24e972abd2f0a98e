namespace CoGrpo.Runtime.Files;

/// <summary>One entry of a safetensors header: what the tensor is called and what it is, not its data.</summary>
public sealed class SafetensorsTensor
{
    private readonly long[] _shape;

    /// <summary>Describes a tensor; <paramref name="shape"/> is copied, slowest dimension first, empty for a scalar.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A dimension is negative.</exception>
    /// <exception cref="OverflowException">The tensor has more than 2^63 - 1 bytes.</exception>
    public SafetensorsTensor(string name, SafetensorsType type, params ReadOnlySpan<long> shape)
    {
        Name = name;
        Type = type;
        _shape = shape.ToArray();
        long count = 1;
        foreach (long size in shape)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(size, nameof(shape));
            count = checked(count * size);
        }

        Count = count;
        ByteCount = checked(count * type.Size());
    }

    /// <summary>Name in the file.</summary>
    public string Name { get; }

    /// <summary>Element type in the file.</summary>
    public SafetensorsType Type { get; }

    /// <summary>Sizes, slowest dimension first; empty for a scalar.</summary>
    public ReadOnlySpan<long> Shape => _shape;

    /// <summary>Number of elements; 1 for a scalar.</summary>
    public long Count { get; }

    /// <summary>Bytes of the data.</summary>
    public long ByteCount { get; }

    /// <summary>Where the data begin, in bytes from the start of the data section.</summary>
    internal long Begin { get; init; }

    /// <summary>Name, type and shape.</summary>
    public override string ToString() => $"{Name} {Type}[{string.Join(",", _shape)}]";
}
