namespace CoGrpo.Runtime.Autograd;

/// <summary>Operations a tape can record; each has its rule in <see cref="GradientRules"/>.</summary>
internal enum Operation : byte
{
    Linear,
    Activate,
    Attention,
    AdaLn,
    RmsNorm,
    LayerNorm,
    QkNormRope,
    GateResidual,
    Add,
    Embedding,
    SpaceToDepth,
    DepthToSpace,
    TransposeTokens,
    CopyTokens,
    GatherRows,
    DepthwiseConv,
    AreaMean,
    Recompute,
    Scale,
}
