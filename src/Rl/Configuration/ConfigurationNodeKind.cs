namespace CoGrpo.Rl.Configuration;

/// <summary>The kinds of <see cref="ConfigurationNode"/>.</summary>
internal enum ConfigurationNodeKind
{
    /// <summary>A JSON object.</summary>
    Object,

    /// <summary>A JSON array.</summary>
    Array,

    /// <summary>A JSON string.</summary>
    Text,

    /// <summary>A JSON number.</summary>
    Number,

    /// <summary>True or false.</summary>
    Boolean,

    /// <summary>Null.</summary>
    Null,

    /// <summary>A change to one entry of an existing list (only from an override such as <c>a[0].b=1</c>).</summary>
    Entry,
}
