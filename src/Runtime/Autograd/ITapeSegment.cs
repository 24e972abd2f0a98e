namespace CoGrpo.Runtime.Autograd;

/// <summary>
/// A piece of a network that can run twice, so that its activations need not be kept. Output i is the new value of residual stream
/// i = input i; further inputs are conditions. Without recording it must update the streams in place.
/// </summary>
public interface ITapeSegment
{
    /// <summary>Runs the segment: streams and conditions in <paramref name="inputs"/>, new streams to <paramref name="outputs"/>.</summary>
    void Run(Tape tape, ReadOnlySpan<Var> inputs, Span<Var> outputs);
}
