using System.Collections;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace CoGrpo.Rl.Configuration;

/// <summary>Writes a complete configuration as JSON that <see cref="ConfigurationLoader"/> reads back to the same values.</summary>
internal static class ConfigurationWriter
{
    /// <summary>Indented JSON with every setting, ending in a line feed.</summary>
    public static string Write(RunConfiguration configuration)
    {
        using MemoryStream stream = new();
        JsonWriterOptions options = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (Utf8JsonWriter writer = new(stream, options))
        {
            Record(writer, configuration);
        }

        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    private static void Record(Utf8JsonWriter writer, object record)
    {
        writer.WriteStartObject();
        foreach (SettingInfo setting in SettingInfo.Of(record.GetType()))
        {
            writer.WritePropertyName(setting.Name);
            Value(writer, setting, setting.Property.GetValue(record));
        }

        writer.WriteEndObject();
    }

    private static void Value(Utf8JsonWriter writer, SettingInfo setting, object? value)
    {
        switch (value)
        {
            case null:
                writer.WriteNullValue();
                break;
            case string text:
                writer.WriteStringValue(text);
                break;
            case bool flag:
                writer.WriteBooleanValue(flag);
                break;
            case int and 0 when setting.ZeroWord is { } word:
                writer.WriteStringValue(word);
                break;
            case int whole:
                writer.WriteNumberValue(whole);
                break;
            case long whole:
                writer.WriteNumberValue(whole);
                break;
            case double number:
                writer.WriteNumberValue(number);
                break;
            case Enum choice:
                writer.WriteStringValue(SettingInfo.EnumNames(choice.GetType())[Array.IndexOf(Enum.GetValues(choice.GetType()), choice)]);
                break;
            case IEnumerable list:
                writer.WriteStartArray();
                foreach (object? item in list)
                {
                    Value(writer, setting.ForElement(), item);
                }

                writer.WriteEndArray();
                break;
            default:
                Record(writer, value);
                break;
        }
    }
}
