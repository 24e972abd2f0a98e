namespace CoGrpo.Model.Conversion;

/// <summary>What to take from where when a model folder is opened for conversion.</summary>
public sealed record SourceOptions
{
    /// <summary>Word in the names of the weight files wanted, such as fp16; null for the files without one, or the only ones.</summary>
    public string? Variant { get; init; }

    /// <summary>Weight file, index or folder of another text encoder of the same sizes, in Hugging Face's or open_clip's names; null for the folder's
    /// own.</summary>
    public string? TextEncoder { get; init; }

    /// <summary>Folder that the parts are taken from that the folder has not; null for none.</summary>
    public string? Base { get; init; }
}
