namespace CoGrpo.Runtime.Autograd;

/// <summary>Adds the gradients of one recorded operation to those of its operands.</summary>
internal delegate void GradientRule(Tape tape, in TapeRecord record);

/// <summary>The table of gradient rules, one per <see cref="Operation"/>, in its order. Each rule stands in the file of its operation.</summary>
internal static class GradientRules
{
    private static readonly GradientRule[] Rules =
    [
        Tape.LinearRule,
        Tape.ActivateRule,
        Tape.AttentionRule,
        Tape.AdaLnRule,
        Tape.RmsNormRule,
        Tape.LayerNormRule,
        Tape.QkNormRopeRule,
        Tape.GateResidualRule,
        Tape.AddRule,
        Tape.EmbeddingRule,
        Tape.SpaceToDepthRule,
        Tape.DepthToSpaceRule,
        Tape.TransposeTokensRule,
        Tape.CopyTokensRule,
        Tape.GatherRowsRule,
        Tape.DepthwiseConvRule,
        Tape.AreaMeanRule,
        Tape.RecomputeRule,
        Tape.ScaleRule,
    ];

    public static GradientRule Of(Operation operation) => Rules[(int)operation];
}
