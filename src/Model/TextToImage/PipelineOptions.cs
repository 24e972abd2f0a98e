using CoGrpo.Model.Meissonic;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Model.TextToImage;

/// <summary>How a <see cref="TextToImagePipeline"/> works.</summary>
public sealed record PipelineOptions
{
    /// <summary>Rows of a picture in pixels: a multiple of 16, of 32 for a model that halves its grid.</summary>
    public int Height { get; init; } = 1024;

    /// <summary>Pixels in a row, likewise.</summary>
    public int Width { get; init; } = 1024;

    /// <summary>Pictures that go through the steps together. Changes memory and speed, never a picture.</summary>
    public int MicroBatch { get; init; } = 1;

    /// <summary>What the transformer is told about time. Published weights were sampled with the step counter.</summary>
    public TimeInput Time { get; init; } = TimeInput.StepCounter;

    /// <summary>
    /// How r becomes a number of codes; <see cref="CountRule.Single"/> with <see cref="HandMadeSettings.SinglePrecision"/> is the original
    /// scheduler's.
    /// </summary>
    public CountRule CountRule { get; init; } = CountRule.Double;
}
