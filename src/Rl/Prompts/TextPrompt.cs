namespace CoGrpo.Rl.Prompts;

/// <summary>A prompt that is text and nothing else.</summary>
/// <param name="Text">The words.</param>
public sealed record TextPrompt(string Text) : IPrompt;
