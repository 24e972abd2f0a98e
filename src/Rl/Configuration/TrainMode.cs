namespace CoGrpo.Rl.Configuration;

/// <summary>Who learns, and when.</summary>
public enum TrainMode
{
    /// <summary>Cycles of model iterations and schedule iterations.</summary>
    [Key("co-grpo")]
    CoGrpo,

    /// <summary>Every iteration trains both on one rollout.</summary>
    [Key("joint")]
    Joint,

    /// <summary>The model alone, under the hand-made schedule. Without any iterations: nobody, the base is scored.</summary>
    [Key("naive")]
    Naive,

    /// <summary>The schedule alone, with the model as it is.</summary>
    [Key("schedule")]
    Schedule,
}
