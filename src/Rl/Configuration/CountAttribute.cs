namespace CoGrpo.Rl.Configuration;

/// <summary>The allowed number of entries of a list.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class CountAttribute(int min, int max) : Attribute
{
    /// <summary>Least number of entries.</summary>
    public int Min { get; } = min;

    /// <summary>Greatest number of entries.</summary>
    public int Max { get; } = max;

    /// <summary>The allowed number in words.</summary>
    public override string ToString() => Min == Max ? $"{Min} entries" : $"{Min} to {Max} entries";
}
