namespace CoGrpo.Runtime.Files.Torch;

/// <summary>
/// A PyTorch archive cannot be read, holds more than weights, or is malformed. The message names file, place, expectation, finding and remedy.
/// </summary>
public sealed class TorchArchiveException : WeightsFileException
{
    /// <summary>A message of the form «file: what: expected E, found F; remedy».</summary>
    public TorchArchiveException(string file, string what, string expected, string found, string remedy, Exception? cause = null)
        : base(file, what, expected, found, remedy, cause)
    {
    }
}
