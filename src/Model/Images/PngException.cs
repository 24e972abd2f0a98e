namespace CoGrpo.Model.Images;

/// <summary>A PNG file cannot be read. The message names file, place, expectation, finding and remedy.</summary>
public sealed class PngException : Exception
{
    /// <summary>A message of the form «file: what: expected E, found F; remedy».</summary>
    public PngException(string file, string what, string expected, string found, string remedy, Exception? cause = null)
        : base($"{file}: {what}: expected {expected}, found {found}; {remedy}", cause)
    {
    }
}
