namespace CoGrpo.Rl.Configuration;

/// <summary>
/// Turns a preset, a JSON file and overrides, each laid over the one before, into a checked <see cref="RunConfiguration"/>. The preset is
/// the one that the overrides or else the file name under <c>preset</c>, or else <c>emoji-scenes</c>.
/// </summary>
public static class ConfigurationLoader
{
    /// <summary>
    /// Loads <paramref name="path"/> (null: the preset alone) and applies overrides of the form <c>a.b=c</c> in order. Relative input
    /// paths in the file refer to the file's folder, those in overrides to the current folder; all become absolute.
    /// </summary>
    /// <param name="path">The file, or null.</param>
    /// <param name="overrides">Settings laid over it.</param>
    /// <param name="promptsGiven">The prompts come from elsewhere, so that data.promptFile may be missing.</param>
    /// <exception cref="ConfigurationException">The file is missing or unreadable, or a setting is unknown, of the wrong type, out of range or in
    /// contradiction with another.</exception>
    public static RunConfiguration Load(string? path, IReadOnlyList<string> overrides, bool promptsGiven = false)
    {
        if (path is null)
        {
            return Resolve(null, "", overrides, promptsGiven);
        }

        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ConfigurationException(path, "no such configuration file", "", "", "check the path; examples are in the folder configs");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException(
                path,
                "the configuration file cannot be read",
                "a readable file",
                error.Message.TrimEnd('.'),
                "check the path and its permissions"
            );
        }

        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        return Resolve(ConfigurationParser.Parse(text, path, folder), path, overrides, promptsGiven);
    }

    /// <summary>
    /// As <see cref="Load"/>, from text; <paramref name="name"/> stands for the file in messages, and input paths refer to the current folder.
    /// </summary>
    /// <exception cref="ConfigurationException">As for <see cref="Load"/>.</exception>
    public static RunConfiguration Parse(string json, string name, params IReadOnlyList<string> overrides)
        => Resolve(ConfigurationParser.Parse(json, name), name, overrides, promptsGiven: false);

    /// <summary>The complete configuration as indented JSON: loading it gives the same configuration, and writing that the same text.</summary>
    public static string Write(RunConfiguration configuration) => ConfigurationWriter.Write(configuration);

    private static RunConfiguration Resolve(ConfigurationNode? file, string name, IReadOnlyList<string> overrides, bool promptsGiven)
    {
        List<ConfigurationNode> layers = [];
        if (file is not null)
        {
            layers.Add(file);
        }

        layers.AddRange(overrides.Select(ConfigurationParser.Override));

        ConfigurationBinder binder = new();
        RunConfiguration chosen = new();
        foreach (ConfigurationNode layer in layers)
        {
            ConfigurationNode only = new() { Kind = ConfigurationNodeKind.Object, Where = layer.Where };
            only.Members.AddRange(layer.Members.Where(member => member.Name == "preset"));
            chosen = binder.Overlay(chosen, only);
        }

        RunConfiguration configuration = Presets.Of(chosen.Preset);
        foreach (ConfigurationNode layer in layers)
        {
            configuration = binder.Overlay(configuration, layer);
        }

        ConfigurationRules.Check(
            configuration,
            promptsGiven,
            path => binder.PlaceOf(path) ?? (name.Length > 0 ? name : $"preset {Presets.NameOf(configuration.Preset)}")
        );
        return configuration;
    }
}
