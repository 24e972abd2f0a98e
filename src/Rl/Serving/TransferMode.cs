namespace CoGrpo.Rl.Serving;

/// <summary>How a learned schedule is carried to a number of steps that it was not trained at.</summary>
public enum TransferMode
{
    /// <summary>Run the policy with its time remapped.</summary>
    Adaptive,

    /// <summary>Interpolate a table of its mean outputs.</summary>
    Table,

    /// <summary>Both, one after the other.</summary>
    Both,
}
