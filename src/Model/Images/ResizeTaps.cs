namespace CoGrpo.Model.Images;

/// <summary>Which samples of a line make each sample of the resized line, and with what weights.</summary>
/// <typeparam name="T">Type of the weights.</typeparam>
internal sealed class ResizeTaps<T>
    where T : unmanaged
{
    private readonly int _most;
    private readonly int[] _counts;
    private readonly int[] _places;
    private readonly T[] _weights;

    /// <summary>For <paramref name="outputs"/> samples of at most <paramref name="most"/> taps each; none has any yet.</summary>
    public ResizeTaps(int outputs, int most)
    {
        _most = most;
        _counts = new int[outputs];
        _places = new int[outputs * most];
        _weights = new T[outputs * most];
    }

    /// <summary>Samples of the resized line.</summary>
    public int Outputs => _counts.Length;

    /// <summary>Gives an output <paramref name="count"/> taps.</summary>
    public void Claim(int output, int count) => _counts[output] = count;

    /// <summary>Where the taps of an output are in the line.</summary>
    public Span<int> Places(int output) => _places.AsSpan(output * _most, _counts[output]);

    /// <summary>The weights of these places, in the same order.</summary>
    public Span<T> Weights(int output) => _weights.AsSpan(output * _most, _counts[output]);
}
