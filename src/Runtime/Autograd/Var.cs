namespace CoGrpo.Runtime.Autograd;

/// <summary>A value on a <see cref="Tape"/>: an index, so copying it costs nothing and keeps nothing alive. <c>default</c> is none.</summary>
public readonly record struct Var
{
    internal Var(int id) => Id = id;

    /// <summary>True for an optional argument that was left out.</summary>
    public bool IsNone => Id == 0;

    internal int Id { get; }
}
