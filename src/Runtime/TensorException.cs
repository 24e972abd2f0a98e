namespace CoGrpo.Runtime;

/// <summary>An operation was given a tensor it cannot take. The message names the tensor, what was wanted, what came and the remedy.</summary>
public sealed class TensorException : ArgumentException
{
    /// <summary>A message of the form «name: wanted W, got G; remedy».</summary>
    public TensorException(string name, string wanted, string got, string remedy)
        : base($"{name}: wanted {wanted}, got {got}; {remedy}")
    {
    }
}
