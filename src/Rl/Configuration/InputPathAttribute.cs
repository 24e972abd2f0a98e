namespace CoGrpo.Rl.Configuration;

/// <summary>A path that is read: relative in a configuration file means relative to that file's folder.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class InputPathAttribute : Attribute;
