using System.Text;
using System.Text.Json;

namespace CoGrpo.Rl.Configuration;

/// <summary>Reads JSON with comments and trailing commas, and overrides, into nodes that remember their place.</summary>
internal static class ConfigurationParser
{
    private const int MaxDepth = 16;

    /// <summary>Parses a whole document; <paramref name="name"/> stands for the file in messages.</summary>
    public static ConfigurationNode Parse(string json, string name, string? folder = null)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(json);
        Utf8JsonReader reader = new(bytes, Options);
        try
        {
            reader.Read();
            ConfigurationNode root = Value(ref reader, bytes, name, folder);
            if (root.Kind != ConfigurationNodeKind.Object)
            {
                throw new ConfigurationException(
                    root.Where,
                    "the configuration is not an object",
                    "{ ... }",
                    root.Describe(),
                    "wrap the settings in { and }"
                );
            }

            reader.Read();
            return root;
        }
        catch (JsonException error)
        {
            throw new ConfigurationException(
                $"{name}:{(error.LineNumber ?? 0) + 1}",
                "not valid JSON",
                "JSON (comments and trailing commas are fine)",
                Reason(error),
                "correct the line"
            );
        }
    }

    /// <summary>Parses <c>a.b=c</c>, where a segment may end in <c>[i]</c> and c is JSON or, where it is not, a plain string.</summary>
    public static ConfigurationNode Override(string text)
    {
        string where = $"--set {text}";
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        string path = equals < 0 ? "" : text[..equals].Trim();
        if (path.Length == 0)
        {
            throw new ConfigurationException(
                where,
                "not an override",
                "path=value as in --set train.mode=naive",
                $"\"{text}\"",
                "name a setting and its value"
            );
        }

        ConfigurationNode node = OverrideValue(text[(equals + 1)..].Trim(), where);
        string[] segments = path.Split('.');
        for (int i = segments.Length - 1; i >= 0; i--)
        {
            string segment = segments[i];
            int bracket = segment.IndexOf('[', StringComparison.Ordinal);
            if (bracket >= 0)
            {
                if (!segment.EndsWith(']') || !int.TryParse(segment[(bracket + 1)..^1], out int index) || index < 0)
                {
                    throw new ConfigurationException(
                        where,
                        $"\"{segment}\" is not an entry of a list",
                        "a form such as cycles[0]",
                        "",
                        "write the index as a whole number in brackets"
                    );
                }

                node = new ConfigurationNode { Kind = ConfigurationNodeKind.Entry, Where = where, Index = index, Items = { node } };
                segment = segment[..bracket];
            }

            ConfigurationNode parent = new() { Kind = ConfigurationNodeKind.Object, Where = where };
            parent.Members.Add((segment, where, node));
            node = parent;
        }

        return node;
    }

    private static JsonReaderOptions Options => new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = MaxDepth };

    private static ConfigurationNode OverrideValue(string text, string where)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        try
        {
            Utf8JsonReader reader = new(bytes, Options);
            if (reader.Read())
            {
                ConfigurationNode node = Value(ref reader, bytes, where, null, fixedPlace: true);
                if (!reader.Read())
                {
                    return node;
                }
            }
        }
        catch (JsonException) when (text.Length == 0 || text[0] is not ('{' or '[' or '"'))
        {
            // A bare word is a string: quoting it would have to survive the shell.
        }
        catch (JsonException error)
        {
            throw new ConfigurationException(
                where,
                "the value is not valid JSON",
                "JSON or a plain word",
                Reason(error),
                "quote the whole override for your shell"
            );
        }

        return new ConfigurationNode { Kind = ConfigurationNodeKind.Text, Where = where, Text = text };
    }

    private static ConfigurationNode Value(ref Utf8JsonReader reader, byte[] bytes, string name, string? folder, bool fixedPlace = false)
    {
        string where = Place(in reader, bytes, name, fixedPlace);
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                ConfigurationNode node = new() { Kind = ConfigurationNodeKind.Object, Where = where };
                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    string key = reader.GetString()!;
                    string keyWhere = Place(in reader, bytes, name, fixedPlace);
                    if (node.Members.Exists(member => member.Name == key))
                    {
                        throw new ConfigurationException(keyWhere, $"\"{key}\" is given twice", "one value per setting", "", "remove one of the two");
                    }

                    reader.Read();
                    node.Members.Add((key, keyWhere, Value(ref reader, bytes, name, folder, fixedPlace)));
                }

                return node;
            case JsonTokenType.StartArray:
                ConfigurationNode list = new() { Kind = ConfigurationNodeKind.Array, Where = where };
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    list.Items.Add(Value(ref reader, bytes, name, folder, fixedPlace));
                }

                return list;
            case JsonTokenType.String:
                return new() { Kind = ConfigurationNodeKind.Text, Where = where, Text = Text(in reader, where), Folder = folder };
            case JsonTokenType.Number:
                return new() { Kind = ConfigurationNodeKind.Number, Where = where, Text = Encoding.UTF8.GetString(reader.ValueSpan) };
            case JsonTokenType.True:
            case JsonTokenType.False:
                return new()
                {
                    Kind = ConfigurationNodeKind.Boolean,
                    Where = where,
                    Text = reader.TokenType == JsonTokenType.True ? "true" : "false",
                };
            default:
                return new() { Kind = ConfigurationNodeKind.Null, Where = where };
        }
    }

    private static string Text(in Utf8JsonReader reader, string where)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new ConfigurationException(
                where,
                "a string is not valid text",
                "valid Unicode",
                "half of a surrogate pair",
                "correct the escape in the string"
            );
        }
    }

    private static string Place(in Utf8JsonReader reader, byte[] bytes, string name, bool fixedPlace)
        => fixedPlace ? name : $"{name}:{1 + bytes.AsSpan(0, (int)reader.TokenStartIndex).Count((byte)'\n')}";

    // The library's message ends in its own zero-based position, which would contradict the line that is already named.
    private static string Reason(JsonException error)
    {
        int cut = error.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return (cut < 0 ? error.Message : error.Message[..cut]).TrimEnd('.');
    }
}
