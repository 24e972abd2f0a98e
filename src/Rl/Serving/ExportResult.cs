namespace CoGrpo.Rl.Serving;

/// <summary>What <see cref="ExportService"/> left.</summary>
/// <param name="Folder">The folder that the evaluator is given.</param>
/// <param name="Kept">Picture files that were there before.</param>
/// <param name="Made">Picture files that were made.</param>
/// <param name="Width">Pixels in a row of each file.</param>
/// <param name="Height">Rows of each file.</param>
public sealed record ExportResult(string Folder, int Kept, int Made, int Width, int Height);
