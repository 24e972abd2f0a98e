namespace CoGrpo.Model;

/// <summary>A model's configuration, weights or inputs do not fit. The message says what, where, wanted, got and what to do.</summary>
public sealed class ModelException : Exception
{
    /// <summary>With a complete message.</summary>
    public ModelException(string message)
        : base(message)
    {
    }
}
