namespace CoGrpo.Runtime.Files;

/// <summary>
/// A safetensors file cannot be read or a tensor in it is not what the caller needs. The message names file, place, expectation, finding and remedy.
/// </summary>
public sealed class SafetensorsException : WeightsFileException
{
    /// <summary>A message of the form «file: what: expected E, found F; remedy».</summary>
    public SafetensorsException(string file, string what, string expected, string found, string remedy, Exception? cause = null)
        : base(file, what, expected, found, remedy, cause)
    {
    }
}
