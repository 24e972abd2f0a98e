using CoGrpo.Runtime.Files;

namespace CoGrpo.Model.Conversion;

/// <summary>Writes the tensors of a source to a weight file in pieces, as they are or in another floating-point type.</summary>
internal sealed class NetworkCopy
{
    private const int ChunkElements = 1 << 20;

    // From here on a value rounds to infinity in F16.
    private const float HalfOverflow = 65520;

    private readonly IConversionProgress _progress;
    private readonly CancellationToken _cancellation;
    private readonly byte[] _from = new byte[8 * ChunkElements];
    private byte[] _to = [];
    private float[] _values = [];

    /// <summary>A copier with buffers for one piece.</summary>
    public NetworkCopy(IConversionProgress progress, CancellationToken cancellation) => (_progress, _cancellation) = (progress, cancellation);

    /// <summary>The tensors as they will be written: those named, in <paramref name="type"/> or in their own type.</summary>
    public static IReadOnlyList<SafetensorsTensor> Written(ITensorSource source, IReadOnlyList<SafetensorsTensor> named, SafetensorsType? type) =>
        [
            .. named
                .Select(tensor => source.Tensors[tensor.Name])
                .Select(tensor => type is null || type == tensor.Type ? tensor : new SafetensorsTensor(tensor.Name, type.Value, tensor.Shape)),
        ];

    /// <summary>Writes a whole file.</summary>
    /// <param name="where">Name of the network for messages.</param>
    /// <param name="source">Where the values come from.</param>
    /// <param name="tensors">What to write (<see cref="Written"/>).</param>
    /// <param name="stream">Where to.</param>
    /// <exception cref="ModelException">A value is too large for F16.</exception>
    public void Write(string where, ITensorSource source, IReadOnlyList<SafetensorsTensor> tensors, Stream stream)
    {
        var writer = new SafetensorsWriter(stream, tensors, source.Metadata);
        foreach (SafetensorsTensor tensor in writer.Tensors)
        {
            SafetensorsType own = source.Tensors[tensor.Name].Type;
            for (long done = 0; done < tensor.Count;)
            {
                _cancellation.ThrowIfCancellationRequested();
                int count = (int)Math.Min(ChunkElements, tensor.Count - done);
                Span<byte> bytes = _from.AsSpan(0, count * own.Size());
                source.ReadBytes(tensor.Name, done * own.Size(), bytes);
                writer.WriteBytes(tensor.Name, own == tensor.Type ? bytes : Converted(where, own, tensor, bytes, count));
                done += count;
                _progress.Advance((long)count * tensor.Type.Size(), tensor.Name);
            }
        }

        writer.Complete();
    }

    private ReadOnlySpan<byte> Converted(string where, SafetensorsType own, SafetensorsTensor tensor, ReadOnlySpan<byte> bytes, int count)
    {
        if (_values.Length == 0)
        {
            (_values, _to) = (new float[ChunkElements], new byte[4 * ChunkElements]);
        }

        Span<float> values = _values.AsSpan(0, count);
        Span<byte> to = _to.AsSpan(0, count * tensor.Type.Size());
        ElementConversion.ToFloat32(own, bytes, values);
        if (tensor.Type == SafetensorsType.F16)
        {
            foreach (float value in values)
            {
                if (MathF.Abs(value) >= HalfOverflow && float.IsFinite(value))
                {
                    throw new ModelException(
                        $"{where}, tensor {tensor.Name}: wanted values up to 65504, the largest of fp16, got {value}; convert to bf16 or fp32"
                    );
                }
            }
        }

        ElementConversion.FromFloat32(tensor.Type, values, to);
        return to;
    }
}
