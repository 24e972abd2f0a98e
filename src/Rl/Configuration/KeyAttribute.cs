namespace CoGrpo.Rl.Configuration;

/// <summary>The name of a setting or of an enumeration value in JSON, where it is not the camel-case form of the C# name.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
internal sealed class KeyAttribute(string name) : Attribute
{
    /// <summary>The name as written in JSON.</summary>
    public string Name { get; } = name;
}
