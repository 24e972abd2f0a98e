namespace CoGrpo.Rl.Serving;

/// <summary>What a <see cref="PictureSession"/> loads beside what a configuration says.</summary>
internal sealed record PictureSessionOptions
{
    /// <summary>Pictures that are going to be drawn, at least 1: no more of them are made room for.</summary>
    public required int Pictures { get; init; }

    /// <summary>Pixels in a row; 0 for the configured width, and without one the published size.</summary>
    public int Width { get; init; }

    /// <summary>Rows of a picture, likewise.</summary>
    public int Height { get; init; }

    /// <summary>Checkpoint with a learned schedule, or null.</summary>
    public string? Schedule { get; init; }

    /// <summary>Adapters to put on the model, or null.</summary>
    public LoraSource? Lora { get; init; }

    /// <summary>Counts codes in fp32 as the published scheduler does.</summary>
    public bool ReferenceCounts { get; init; }
}
