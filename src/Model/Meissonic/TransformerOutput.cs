namespace CoGrpo.Model.Meissonic;

/// <summary>How far a forward pass of a <see cref="MeissonicTransformer"/> goes.</summary>
public enum TransformerOutput
{
    /// <summary>To the logits.</summary>
    Logits,

    /// <summary>To what the last layer, <see cref="MeissonicTransformer.Head"/>, reads.</summary>
    Hidden,

    /// <summary>To the last block.</summary>
    Features,
}
