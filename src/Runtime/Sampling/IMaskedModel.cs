using CoGrpo.Runtime.Backends;

namespace CoGrpo.Runtime.Sampling;

/// <summary>
/// A masked image model as the sampling loop sees it. An image's output must not depend on the other images of the batch, to the bit.
/// </summary>
public interface IMaskedModel
{
    /// <summary>The device that the model and the loop run on.</summary>
    IBackend Backend { get; }

    /// <summary>N: codes per image.</summary>
    int Codes { get; }

    /// <summary>V: codebook size; codes are 0..V-1.</summary>
    int Vocabulary { get; }

    /// <summary>The id that marks a masked position; not a code.</summary>
    int MaskToken { get; }

    /// <summary>[n,C] of one image's features.</summary>
    Shape FeatureShape { get; }

    /// <summary>Element type of features and of what the head reads.</summary>
    ElementType Storage { get; }

    /// <summary>
    /// [V,K] the weight of the last layer, when that is a matrix product without bias: <see cref="Predict"/> then stops before it and the loop draws
    /// codes without ever storing logits. None when <see cref="Predict"/> gives the logits themselves.
    /// </summary>
    Tensor Head { get; }

    /// <summary>
    /// Changes whenever a <see cref="Predict"/> of the same sizes would use other addresses than before, so that recorded work is not used again;
    /// <see cref="IRecording.Never"/> if it needs the host.
    /// </summary>
    int RecordingVersion { get; }

    /// <summary>One forward pass without gradient. Queues device work alone: nothing of it may wait for the device, upload or download.</summary>
    /// <param name="batch">Canvases, prompts and the rows whose logits are wanted.</param>
    /// <param name="output">[R,V] fp32 logits, or [R,K] what <see cref="Head"/> reads, out; row r for <c>batch.Rows[r]</c>. Rows beyond the live ones
    /// of <c>batch.Rows</c> are left out.</param>
    /// <param name="features">[B,n,C] out: visual tokens after the last block; or none.</param>
    void Predict(in MaskedBatch batch, Tensor output, Tensor features);
}
