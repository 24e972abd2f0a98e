namespace CoGrpo.Rl.Configuration;

/// <summary>A word that JSON uses for the number 0 of an integer setting, as in <c>"stepsTrained": "all"</c>.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ZeroIsAttribute(string word) : Attribute
{
    /// <summary>The word that stands for 0.</summary>
    public string Word { get; } = word;
}
