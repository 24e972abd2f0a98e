using CoGrpo.Runtime.Backends;

namespace CoGrpo.Runtime.Sampling;

/// <summary>A masked image model as the sampling loop sees it. An image's output must not depend on the other images of the batch, to the bit.</summary>
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

    /// <summary>One forward pass without gradient.</summary>
    /// <param name="batch">Canvases, prompts and the rows whose logits are wanted.</param>
    /// <param name="logits">[R,V] out, row r for <c>batch.Rows[r]</c>.</param>
    /// <param name="features">[B,n,C] out: visual tokens after the last block; or none.</param>
    void Predict(in MaskedBatch batch, Tensor logits, Tensor features);
}
