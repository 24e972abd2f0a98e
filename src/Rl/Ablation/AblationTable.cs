namespace CoGrpo.Rl.Ablation;

/// <summary>One table of the paper: arms in rows.</summary>
/// <param name="Id">Its number in the paper.</param>
/// <param name="Title">What it compares.</param>
/// <param name="Note">Where its arms come from.</param>
/// <param name="Columns">What its columns are.</param>
/// <param name="Steps">The step counts it shows.</param>
/// <param name="Arms">Its rows.</param>
public sealed record AblationTable(
    string Id,
    string Title,
    string Note,
    AblationColumns Columns,
    IReadOnlyList<int> Steps,
    IReadOnlyList<AblationArm> Arms
);
