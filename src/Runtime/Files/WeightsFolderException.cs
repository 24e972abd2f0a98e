namespace CoGrpo.Runtime.Files;

/// <summary>The weight files of a folder do not make one network, or a link leads out of a folder. The message names folder or file, place,
/// expectation, finding and remedy.</summary>
public sealed class WeightsFolderException : WeightsFileException
{
    /// <summary>A message of the form «file: what: expected E, found F; remedy».</summary>
    public WeightsFolderException(string file, string what, string expected, string found, string remedy, Exception? cause = null)
        : base(file, what, expected, found, remedy, cause)
    {
    }
}
