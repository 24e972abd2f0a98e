using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;

namespace CoGrpo.Model.Meissonic;

/// <summary>What one forward pass of a <see cref="MeissonicTransformer"/> reads.</summary>
public ref struct TransformerInput
{
    /// <summary>Int32 [B,Ht*Wt] codes, row-major; <see cref="TransformerConfig.MaskToken"/> where masked.</summary>
    public Tensor Codes { get; set; }

    /// <summary>Rows of codes Ht; even when the model halves the grid.</summary>
    public int Height { get; set; }

    /// <summary>Columns of codes Wt; even when the model halves the grid.</summary>
    public int Width { get; set; }

    /// <summary>[B,L,joint] token states of the text encoder.</summary>
    public Var Context { get; set; }

    /// <summary>[B,P] pooled text embedding.</summary>
    public Var Pooled { get; set; }

    /// <summary>[B] time; the network multiplies it by 1000 (specs/meissonic.md 4.4).</summary>
    public Tensor Time { get; set; }

    /// <summary>[B,5] width, height, crop x, crop y, score.</summary>
    public Tensor MicroConditions { get; set; }

    /// <summary>Rows b*Ht*Wt + i whose logits are wanted, ascending; empty for all. For passes with a backward.</summary>
    public ReadOnlySpan<int> Rows { get; set; }

    /// <summary>
    /// The same in device memory, Int32 [R]; its <see cref="Tensor.LiveRows"/> is honoured. Takes the place of <see cref="Rows"/> in passes without
    /// backward.
    /// </summary>
    public Tensor DeviceRows { get; set; }

    /// <summary>How far the pass goes.</summary>
    public TransformerOutput Output { get; set; }

    /// <summary>Whether each block's activations are dropped and recomputed in the backward pass.</summary>
    public bool RecomputeBlocks { get; set; }
}
