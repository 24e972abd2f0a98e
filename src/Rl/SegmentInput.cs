namespace CoGrpo.Rl;

/// <summary>
/// The segments of an objective: a segment is one (trajectory, step), and its log-probabilities are summed before the ratio is taken.
/// A micro-batch holds whole segments; the normaliser is that of the whole update.
/// </summary>
public readonly ref struct SegmentInput
{
    /// <summary>[S] advantage of the segment's trajectory.</summary>
    public required ReadOnlySpan<double> Advantages { get; init; }

    /// <summary>[S] step weight w: 1 when all steps are trained, T/k for k drawn steps, 0 for a step that is left out.</summary>
    public required ReadOnlySpan<double> Weights { get; init; }

    /// <summary>The loss is divided by this: B·N for token segments, B·T for schedule segments, over the whole update.</summary>
    public required double Normalizer { get; init; }
}
