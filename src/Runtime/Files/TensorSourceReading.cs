using System.Buffers;

namespace CoGrpo.Runtime.Files;

/// <summary>Reads values of an <see cref="ITensorSource"/> through a small buffer.</summary>
public static class TensorSourceReading
{
    private const int BufferBytes = 1 << 16;

    /// <summary>Reads a floating-point tensor as fp32 (<see cref="ElementConversion"/>).</summary>
    /// <exception cref="ArgumentException">The tensor is not a floating-point one or has another element count than the destination; check it
    /// first.</exception>
    /// <exception cref="WeightsFileException">No such tensor, or a read error.</exception>
    public static void ReadFloat32(this ITensorSource source, string name, Span<float> destination)
    {
        ArgumentNullException.ThrowIfNull(source);
        SafetensorsTensor tensor = source.Tensors[name];
        if (tensor.Count != destination.Length)
        {
            throw new ArgumentException(
                $"tensor '{name}': wanted {destination.Length} elements, got {tensor.Count}; check the shape first",
                nameof(destination)
            );
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            int size = tensor.Type.Size();
            for (int done = 0; done < destination.Length;)
            {
                int count = Math.Min(destination.Length - done, BufferBytes / size);
                Span<byte> bytes = buffer.AsSpan(0, count * size);
                source.ReadBytes(name, (long)done * size, bytes);
                ElementConversion.ToFloat32(tensor.Type, bytes, destination.Slice(done, count));
                done += count;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
