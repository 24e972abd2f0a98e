using System.Collections.Concurrent;
using System.Reflection;
using System.Text.Json;

namespace CoGrpo.Rl.Configuration;

/// <summary>What binder and writer know of one property of a record of settings.</summary>
internal sealed record SettingInfo
{
    private static readonly ConcurrentDictionary<Type, IReadOnlyList<SettingInfo>> Known = new();

    /// <summary>The property.</summary>
    public required PropertyInfo Property { get; init; }

    /// <summary>The name in JSON.</summary>
    public required string Name { get; init; }

    /// <summary>Null is a value.</summary>
    public bool Nullable { get; init; }

    /// <summary>Allowed range of the number or of each number of the list.</summary>
    public BoundsAttribute? Bounds { get; init; }

    /// <summary>Allowed number of entries of a list.</summary>
    public CountAttribute? Count { get; init; }

    /// <summary>The word for 0.</summary>
    public string? ZeroWord { get; init; }

    /// <summary>The text is a path that is read.</summary>
    public bool IsInputPath { get; init; }

    /// <summary>All settings of a record in the order of declaration.</summary>
    public static IReadOnlyList<SettingInfo> Of(Type type) => Known.GetOrAdd(type, static t => Read(t));

    /// <summary>True for lists of settings.</summary>
    public static bool IsList(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>);

    /// <summary>JSON names of the values of an enumeration, in the order of their values.</summary>
    public static IReadOnlyList<string> EnumNames(Type type) =>
        [
            .. Enum.GetNames(type)
                .Select(name => type.GetField(name)!.GetCustomAttribute<KeyAttribute>()?.Name ?? JsonNamingPolicy.CamelCase.ConvertName(name)),
        ];

    /// <summary>The same rules for one entry of the list.</summary>
    public SettingInfo ForElement() => this with { Nullable = false, Count = null };

    private static SettingInfo[] Read(Type type)
    {
        NullabilityInfoContext context = new();
        return
        [
            .. type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
                .Where(p => p.CanWrite)
                .OrderBy(p => p.MetadataToken)
                .Select(p => new SettingInfo
                {
                    Property = p,
                    Name = p.GetCustomAttribute<KeyAttribute>()?.Name ?? JsonNamingPolicy.CamelCase.ConvertName(p.Name),
                    Nullable = context.Create(p).WriteState == NullabilityState.Nullable,
                    Bounds = p.GetCustomAttribute<BoundsAttribute>(),
                    Count = p.GetCustomAttribute<CountAttribute>(),
                    ZeroWord = p.GetCustomAttribute<ZeroIsAttribute>()?.Word,
                    IsInputPath = p.GetCustomAttribute<InputPathAttribute>() is not null,
                }),
        ];
    }
}
