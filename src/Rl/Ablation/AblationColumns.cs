namespace CoGrpo.Rl.Ablation;

/// <summary>What stands in the columns of an ablation table.</summary>
public enum AblationColumns
{
    /// <summary>Every score, at the steps of the training.</summary>
    Scores,

    /// <summary>The score that counts, at several step counts.</summary>
    Steps,
}
