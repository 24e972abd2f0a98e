namespace CoGrpo.Rl.Benchmarks;

/// <summary>A prompt of a benchmark and the files that are made for it.</summary>
/// <param name="Number">Place in the whole benchmark, from 0: its pictures draw the noise of this place, whatever else is drawn.</param>
/// <param name="PlaceInPart">Place within its style; the same as <paramref name="Number"/> where there are none.</param>
/// <param name="Prompt">What its pictures show.</param>
/// <param name="Pictures">Paths of its picture files below the folder of pictures, with slashes.</param>
/// <param name="Texts">Other files, likewise, and what they hold.</param>
public sealed record ExportItem(
    int Number,
    int PlaceInPart,
    string Prompt,
    IReadOnlyList<string> Pictures,
    IReadOnlyList<(string Path, string Text)> Texts
);
