using CoGrpo.Rl.EmojiScenes;

namespace CoGrpo.Rl.Serving;

/// <summary>One picture of <see cref="SampleService"/>.</summary>
/// <param name="Path">Its PNG file.</param>
/// <param name="Prompt">What it was to show.</param>
/// <param name="Passes">Whether the judge of EmojiScenes finds every fact of the prompt, cleanly drawn.</param>
public sealed record SampledPicture(string Path, Prompt Prompt, bool Passes);
