namespace CoGrpo.Rl.Training;

/// <summary>What an iteration trains.</summary>
public enum Phase
{
    /// <summary>The model, with the schedule fixed.</summary>
    Model,

    /// <summary>The schedule policy, with the model fixed.</summary>
    Schedule,

    /// <summary>Both, on one rollout.</summary>
    Joint,
}
