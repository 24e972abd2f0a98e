namespace CoGrpo.Rl.Configuration;

/// <summary>A JSON value together with the place it came from.</summary>
internal sealed class ConfigurationNode
{
    /// <summary>What the node is.</summary>
    public required ConfigurationNodeKind Kind { get; init; }

    /// <summary>File and line, or the override as typed.</summary>
    public required string Where { get; init; }

    /// <summary>Text of a string, or of a number, as written; "true" or "false".</summary>
    public string Text { get; init; } = "";

    /// <summary>Members of an object in order; the place of a member is the place of its name.</summary>
    public List<(string Name, string Where, ConfigurationNode Value)> Members { get; } = [];

    /// <summary>Entries of an array.</summary>
    public List<ConfigurationNode> Items { get; } = [];

    /// <summary>For <see cref="ConfigurationNodeKind.Entry"/>: which entry of the existing list is changed.</summary>
    public int Index { get; init; }

    /// <summary>Folder that relative input paths refer to; null for the current one.</summary>
    public string? Folder { get; init; }

    /// <summary>The value in words, for messages.</summary>
    public string Describe() => Kind switch
    {
        ConfigurationNodeKind.Text => $"\"{(Text.Length > 60 ? Text[..60] + "..." : Text)}\"",
        ConfigurationNodeKind.Object => "an object",
        ConfigurationNodeKind.Array => $"a list of {Items.Count}",
        ConfigurationNodeKind.Entry => "an entry of a list",
        ConfigurationNodeKind.Null => "null",
        _ => Text,
    };
}
