namespace CoGrpo.Rl.Ablation;

/// <summary>One way to train and sample that tables compare.</summary>
/// <param name="Key">Name of its run folders; tables that share an arm share its runs.</param>
/// <param name="Name">Name in tables.</param>
/// <param name="Steps">The step counts it is scored at, the same in whichever tables it stands.</param>
/// <param name="Overrides">What it changes in the configuration, as <c>path=value</c>.</param>
public sealed record AblationArm(string Key, string Name, IReadOnlyList<int> Steps, IReadOnlyList<string> Overrides);
