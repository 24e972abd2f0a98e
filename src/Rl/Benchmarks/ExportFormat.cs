namespace CoGrpo.Rl.Benchmarks;

/// <summary>How pictures are stored.</summary>
public enum ExportFormat
{
    /// <summary>PNG bytes, which lose nothing.</summary>
    Png,

    /// <summary>JPEG of quality 75 with chroma at half size.</summary>
    Jpeg,
}
