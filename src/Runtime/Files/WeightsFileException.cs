namespace CoGrpo.Runtime.Files;

/// <summary>
/// A file of weights cannot be read or a tensor in it is not what the caller needs. The message names file, place, expectation, finding and remedy.
/// </summary>
public abstract class WeightsFileException : Exception
{
    /// <summary>A message of the form «file: what: expected E, found F; remedy».</summary>
    protected WeightsFileException(string file, string what, string expected, string found, string remedy, Exception? cause = null)
        : base($"{file}: {what}: expected {expected}, found {found}; {remedy}", cause)
    {
    }
}
