using System.Text.Json.Serialization;
using CoGrpo.Model.Clip;

namespace CoGrpo.Model.Rewards;

/// <summary>
/// Where a reward network is: its file of weights, with the published architecture, or a folder with one such file and a configuration that may say
/// another (<c>config.json</c>, or open_clip's <c>open_clip_config.json</c>).
/// </summary>
internal sealed record RewardSource(string Weights, string? Config)
{
    private static readonly string[] Endings = [".safetensors", ".pt", ".bin", ".pth"];
    private static readonly string[] Configs = ["config.json", "open_clip_config.json"];

    /// <summary>
    /// As <see cref="Of"/> for a plan, which needs no weights: the published architecture where <paramref name="path"/> is null or not there.
    /// </summary>
    /// <exception cref="ModelException">The folder holds several files of weights.</exception>
    public static RewardSource Planned(string network, string? path) => path is not null && Path.Exists(path) ? Of(network, path) : new("", null);

    /// <summary>Resolves <paramref name="path"/>; <paramref name="network"/> is for messages.</summary>
    /// <exception cref="ModelException">There are no weights, or several files of them.</exception>
    public static RewardSource Of(string network, string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (File.Exists(path))
        {
            return new(path, null);
        }

        if (!Directory.Exists(path))
        {
            throw new ModelException(
                $"{network}: wanted its weights at {path}, there is no file or folder; download the published file, or correct the path"
            );
        }

        string[] files =
        [
            .. Directory
                .EnumerateFiles(path)
                .Where(file => Endings.Any(ending => file.EndsWith(ending, StringComparison.Ordinal)))
                .Order(StringComparer.Ordinal),
        ];
        return files.Length == 1
            ? new(files[0], Configs.Select(name => Path.Combine(path, name)).FirstOrDefault(File.Exists))
            : throw new ModelException($"{network}: wanted one file of weights in {path}, found {(files.Length == 0 ? "none" : string.Join(", ", files.Select(file => Path.GetFileName(file))))}; name the file itself");
    }

    /// <summary>The architecture: <paramref name="published"/> where no configuration says another.</summary>
    /// <exception cref="ModelException">The configuration is malformed.</exception>
    public T Architecture<T>(T published)
        where T : class => Config is null ? published : ConfigFile.Read<T>(Config, "the configuration of a reward network");

    /// <summary>
    /// The architecture of CLIP, whose configuration open_clip wraps in <c>model_cfg</c> and Hugging Face's library writes with keys of its own.
    /// </summary>
    /// <exception cref="ModelException">The configuration is malformed.</exception>
    public ClipModelConfig ClipArchitecture() =>
        Config is null
            ? ClipModelConfig.ViTH14
            : Architecture(new WrappedClip()).Model ?? Architecture(new HuggingFaceClipConfig()).ToOpenClip() ?? Architecture(ClipModelConfig.ViTH14);

    private sealed record WrappedClip
    {
        [JsonPropertyName("model_cfg")]
        public ClipModelConfig? Model { get; init; }
    }
}
