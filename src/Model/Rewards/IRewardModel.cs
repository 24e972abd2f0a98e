namespace CoGrpo.Model.Rewards;

/// <summary>
/// A published network that scores pictures for their prompts, behind tokenizer and picture preprocessing. Scores are as published: not scaled, not
/// normalised within a group. A picture's score has the same bits in any batch. Driven by the thread that drives its backend.
/// </summary>
public interface IRewardModel : IDisposable
{
    /// <summary>Side in pixels of the pictures it reads.</summary>
    int ImageSize { get; }

    /// <summary>Number of weights.</summary>
    long ParameterCount { get; }

    /// <summary>Scores pictures. Pictures of one prompt share what depends on the prompt alone; they had best stand next to each other.</summary>
    /// <param name="pixels">fp32 [B,3,S,S], normalised as the network wants it.</param>
    /// <param name="prompts">Token ids of each prompt as the network's tokenizer makes them, padding left out.</param>
    /// <param name="promptOf">For each picture the place of its prompt among them.</param>
    /// <param name="scores">[B], overwritten.</param>
    /// <exception cref="ModelException">Lengths do not fit together or a prompt cannot be encoded.</exception>
    void Score(ReadOnlyMemory<float> pixels, IReadOnlyList<int[]> prompts, ReadOnlySpan<int> promptOf, Span<double> scores);
}
