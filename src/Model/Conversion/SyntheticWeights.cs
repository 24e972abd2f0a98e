using CoGrpo.Runtime.Files;
using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Model.Conversion;

/// <summary>
/// Seeded weights of sensible scale: activations keep their size through the network, every part matters to the result. Uniform within ±√3
/// deviations, so that a full-size model is made in seconds. Every element is addressed by seed, tensor and place.
/// </summary>
internal sealed class SyntheticWeights
{
    private const double EmbeddingDeviation = 0.02;
    private const double VectorDeviation = 0.02;
    private const int PiecesPerCall = 64;
    private const int ChunkElements = 1 << 20;

    // The logarithm of 100, at which released models of CLIP stand.
    private const float LogitScale = 4.6052f;

    private readonly ulong _key;
    private readonly uint _tensor;
    private readonly float _centre;
    private readonly float _reach;

    /// <summary>The weights of tensor number <paramref name="index"/> of a model.</summary>
    public SyntheticWeights(ulong seed, int index, SafetensorsTensor tensor)
    {
        _key = Philox.Key(seed, RandomStream.Initialisation);
        _tensor = (uint)index;
        bool bias = tensor.Name.EndsWith("bias", StringComparison.Ordinal), embedding = tensor.Name.Contains("embedding", StringComparison.Ordinal);
        if (tensor.Name.EndsWith("logit_scale", StringComparison.Ordinal))
        {
            (_centre, _reach) = (LogitScale, 0);
            return;
        }

        _centre = tensor.Shape.Length == 1 && !bias && !embedding ? 1 : 0;
        double inputs = tensor.Count / (double)Math.Max(1, tensor.Shape.Length == 0 ? 1 : tensor.Shape[0]);
        double deviation = tensor.Shape.Length == 1 ? VectorDeviation : embedding ? EmbeddingDeviation : 1 / Math.Sqrt(inputs);
        _reach = (float)(Math.Sqrt(3) * deviation);
    }

    /// <summary>Makes the weights of a model piece by piece.</summary>
    /// <param name="tensors">The model's, whose order numbers them.</param>
    /// <param name="order">Those to make, in the order to make them.</param>
    /// <param name="seed">Of the model.</param>
    /// <param name="write">Takes the next values of a tensor.</param>
    /// <param name="progress">Advances by bytes of the tensors' types.</param>
    /// <param name="cancellation">Looked at before every piece.</param>
    public static void Stream(
        IReadOnlyList<SafetensorsTensor> tensors,
        IEnumerable<SafetensorsTensor> order,
        ulong seed,
        Action<SafetensorsTensor, ReadOnlySpan<float>> write,
        IConversionProgress progress,
        CancellationToken cancellation
    )
    {
        float[] buffer = new float[ChunkElements];
        Dictionary<string, int> places = tensors
            .Select((tensor, i) => (tensor.Name, i))
            .ToDictionary(pair => pair.Name, pair => pair.i, StringComparer.Ordinal);
        foreach (SafetensorsTensor tensor in order)
        {
            var weights = new SyntheticWeights(seed, places[tensor.Name], tensor);
            for (long done = 0; done < tensor.Count;)
            {
                cancellation.ThrowIfCancellationRequested();
                int count = (int)Math.Min(ChunkElements, tensor.Count - done);
                weights.Fill(done, buffer.AsMemory(0, count));
                write(tensor, buffer.AsSpan(0, count));
                done += count;
                progress.Advance((long)count * tensor.Type.Size(), tensor.Name);
            }
        }
    }

    /// <summary>Elements <paramref name="first"/> (a multiple of four) and on.</summary>
    public void Fill(long first, Memory<float> values)
    {
        int piece = Math.Max(4, ((values.Length / PiecesPerCall) + 3) / 4 * 4);
        Parallel.For(0, (values.Length + piece - 1) / piece, i =>
        {
            int begin = i * piece;
            FillPiece(first + begin, values.Span.Slice(begin, Math.Min(piece, values.Length - begin)));
        });
    }

    private void FillPiece(long first, Span<float> values)
    {
        for (int i = 0; i < values.Length; i += 4)
        {
            ulong block = (ulong)(first + i) / 4;
            (uint x0, uint x1, uint x2, uint x3) = Philox.Block(_key, (uint)block, (uint)(block >> 32), _tensor, 0);
            if (values.Length - i >= 4)
            {
                Span<float> four = values.Slice(i, 4);
                (four[0], four[1], four[2], four[3]) = (Value(x0), Value(x1), Value(x2), Value(x3));
                continue;
            }

            ReadOnlySpan<uint> bits = [x0, x1, x2];
            for (int rest = 0; i + rest < values.Length; rest++)
            {
                values[i + rest] = Value(bits[rest]);
            }
        }
    }

    private float Value(uint bits) => _centre + (_reach * ((2 * Philox.Uniform(bits)) - 1));
}
