namespace CoGrpo.Rl.Serving;

/// <summary>Adapters to put on a model.</summary>
/// <param name="Path">Their file, or the folder that holds it.</param>
/// <param name="Scale">Weight of their effect; 1 for that of training.</param>
public sealed record LoraSource(string Path, double Scale);
