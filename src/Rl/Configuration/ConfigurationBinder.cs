using System.Collections;
using System.Globalization;
using System.Reflection;
using CoGrpo.Model.Text;

namespace CoGrpo.Rl.Configuration;

/// <summary>
/// Lays a node over a record of settings: named members replace, the rest stays. Lists are replaced as a whole. Remembers where each
/// value came from, so that a rule between two settings can name the place as well.
/// </summary>
internal sealed class ConfigurationBinder
{
    private readonly Dictionary<string, string> _places = [];

    /// <summary>The place that set <paramref name="path"/>, or null if it still has its preset's value.</summary>
    public string? PlaceOf(string path) => _places.GetValueOrDefault(path);

    /// <summary>A copy of <paramref name="basis"/> with the members of <paramref name="node"/> set.</summary>
    public T Overlay<T>(T basis, ConfigurationNode node)
        where T : class
        => (T)Record(typeof(T), basis, node, "");

    private object Record(Type type, object? basis, ConfigurationNode node, string path)
    {
        if (node.Kind != ConfigurationNodeKind.Object)
        {
            throw Wrong(node, path, "an object with " + string.Join(", ", SettingInfo.Of(type).Select(s => s.Name)));
        }

        object copy = Activator.CreateInstance(type)!;
        IReadOnlyList<SettingInfo> settings = SettingInfo.Of(type);
        if (basis is not null)
        {
            foreach (SettingInfo setting in settings)
            {
                setting.Property.SetValue(copy, setting.Property.GetValue(basis));
            }
        }

        foreach ((string name, string where, ConfigurationNode value) in node.Members)
        {
            string full = path.Length == 0 ? name : $"{path}.{name}";
            SettingInfo setting = settings.FirstOrDefault(s => s.Name == name) ?? throw Unknown(where, full, name, path, settings);
            _places[full] = where;
            setting.Property.SetValue(copy, Value(setting.Property.PropertyType, setting, setting.Property.GetValue(copy), value, full));
        }

        return copy;
    }

    private object? Value(Type type, SettingInfo setting, object? basis, ConfigurationNode node, string path)
    {
        if (node.Kind == ConfigurationNodeKind.Null)
        {
            return setting.Nullable ? null : throw Wrong(node, path, Expected(type, setting));
        }

        type = Nullable.GetUnderlyingType(type) ?? type;
        if (node.Kind == ConfigurationNodeKind.Entry && !SettingInfo.IsList(type))
        {
            throw Wrong(node, path, Expected(type, setting));
        }

        if (type == typeof(string))
        {
            return node.Kind == ConfigurationNodeKind.Text && node.Text.Length > 0 ? PathOrText(setting, node) : throw Wrong(node, path, "a string");
        }

        if (type == typeof(bool))
        {
            return node.Kind == ConfigurationNodeKind.Boolean ? node.Text == "true" : throw Wrong(node, path, "true or false");
        }

        if (type == typeof(int) || type == typeof(long))
        {
            return Whole(type, setting, node, path);
        }

        if (type == typeof(double))
        {
            return node.Kind == ConfigurationNodeKind.Number
                && double.TryParse(node.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number)
                && (setting.Bounds?.Holds(number) ?? true)
                ? number : throw Wrong(node, path, Expected(type, setting));
        }

        if (type.IsEnum)
        {
            return EnumValue(type, node, path);
        }

        return SettingInfo.IsList(type) ? List(type, setting, basis, node, path) : Record(type, basis, node, path);
    }

    private static string PathOrText(SettingInfo setting, ConfigurationNode node)
        => setting.IsInputPath ? Path.GetFullPath(node.Text, node.Folder ?? Directory.GetCurrentDirectory()) : node.Text;

    private static object Whole(Type type, SettingInfo setting, ConfigurationNode node, string path)
    {
        if (setting.ZeroWord is { } word && node.Kind == ConfigurationNodeKind.Text && node.Text == word)
        {
            return 0;
        }

        if (
            node.Kind != ConfigurationNodeKind.Number
            || !long.TryParse(node.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole)
            || (type == typeof(int) && whole is < int.MinValue or > int.MaxValue)
            || !(setting.Bounds?.Holds(whole) ?? true)
        )
        {
            throw Wrong(node, path, Expected(type, setting));
        }

        return type == typeof(int) ? (object)(int)whole : whole;
    }

    private static object EnumValue(Type type, ConfigurationNode node, string path)
    {
        IReadOnlyList<string> names = SettingInfo.EnumNames(type);
        int index = node.Kind == ConfigurationNodeKind.Text ? names.ToList().IndexOf(node.Text) : -1;
        if (index >= 0)
        {
            return Enum.GetValues(type).GetValue(index)!;
        }

        string next = node.Kind == ConfigurationNodeKind.Text ? $"did you mean {NearestName.Find(node.Text, names)}?" : "choose one of these words";
        throw new ConfigurationException(node.Where, path, string.Join(" or ", names), node.Describe(), next);
    }

    private IList List(Type type, SettingInfo setting, object? basis, ConfigurationNode node, string path)
    {
        Type element = type.GetGenericArguments()[0];
        if (node.Kind == ConfigurationNodeKind.Entry)
        {
            IList old = (IList)basis!;
            if (node.Index >= old.Count)
            {
                throw new ConfigurationException(
                    node.Where,
                    $"{path}[{node.Index}] does not exist",
                    $"an index below {old.Count}",
                    "",
                    $"set the whole list: {path}=[...]"
                );
            }

            Array changed = Array.CreateInstance(element, old.Count);
            old.CopyTo(changed, 0);
            changed.SetValue(Value(element, setting.ForElement(), old[node.Index], node.Items[0], $"{path}[{node.Index}]"), node.Index);
            return changed;
        }

        if (
            node.Kind != ConfigurationNodeKind.Array
            || (setting.Count is { } count && (node.Items.Count < count.Min || node.Items.Count > count.Max))
        )
        {
            throw Wrong(node, path, "a list" + (setting.Count is null ? "" : $" of {setting.Count}"));
        }

        Array values = Array.CreateInstance(element, node.Items.Count);
        for (int i = 0; i < values.Length; i++)
        {
            values.SetValue(Value(element, setting.ForElement(), null, node.Items[i], $"{path}[{i}]"), i);
        }

        return values;
    }

    private static string Expected(Type type, SettingInfo setting)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        string kind = type == typeof(int) || type == typeof(long) ? "a whole number"
            : type == typeof(double) ? "a number"
            : type == typeof(bool) ? "true or false"
            : type == typeof(string) ? "a string"
            : type.IsEnum ? string.Join(" or ", SettingInfo.EnumNames(type))
            : SettingInfo.IsList(type) ? "a list" : "an object";
        string range = setting.Bounds is { } bounds && (type == typeof(int) || type == typeof(long) || type == typeof(double)) ? $" {bounds}" : "";
        return kind + range + (setting.ZeroWord is { } word ? $" or \"{word}\"" : "") + (setting.Nullable ? " or null" : "");
    }

    private static ConfigurationException Wrong(ConfigurationNode node, string path, string expected) =>
        new(
            node.Where,
            path.Length == 0 ? "the configuration" : path,
            expected,
            node.Describe(),
            "correct the value or remove it to keep the preset's"
        );

    private static ConfigurationException Unknown(string where, string full, string name, string path, IReadOnlyList<SettingInfo> settings)
    {
        string nearest = NearestName.Find(name, settings.Select(s => s.Name))!;
        string section = path.Length == 0 ? "the top level" : path;
        return new(
            where,
            $"unknown setting {full}",
            $"one of {string.Join(", ", settings.Select(s => s.Name))} in {section}",
            "",
            $"did you mean {nearest}?"
        );
    }
}
