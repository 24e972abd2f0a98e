namespace CoGrpo.Rl.Serving;

/// <summary>Prompts next to each other that have a column of their own in the table of an evaluation.</summary>
/// <param name="Label">Title of the column.</param>
/// <param name="First">The first prompt's place.</param>
/// <param name="Count">How many.</param>
public sealed record PromptStyle(string Label, int First, int Count);
