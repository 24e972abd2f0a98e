namespace CoGrpo.Rl.Benchmarks;

/// <summary>A style of the HPDv2 benchmark and its prompts.</summary>
/// <param name="Name">Of its file of prompts and its folder of pictures.</param>
/// <param name="Label">Its column in published tables.</param>
/// <param name="Prompts">In the order of the file; picture i shows prompt i.</param>
public sealed record HpdStyle(string Name, string Label, IReadOnlyList<string> Prompts);
