using System.Text.Json;
using CoGrpo.Model.Clip;
using CoGrpo.Model.Meissonic;
using CoGrpo.Model.TextToImage;
using CoGrpo.Model.Tokenizers;
using CoGrpo.Model.Vq;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Model.Conversion;

/// <summary>
/// A model folder in the published layout, or several that complete each other, open for conversion: networks with their weights, and the small files
/// beside them. Opening reads headers and small files only. Nothing outside of the folder is followed.
/// </summary>
internal sealed class ModelFolder : IDisposable
{
    /// <summary>Which classes of the original libraries the parts belong to.</summary>
    public const string IndexName = "model_index.json";

    /// <summary>The tokenizer's folder.</summary>
    public const string TokenizerName = "tokenizer";

    /// <summary>The original sampler's folder.</summary>
    public const string SchedulerName = "scheduler";

    private const long MostSmallBytes = 64 << 20;
    private static readonly string[] SmallFolders = [TokenizerName, SchedulerName];
    private static readonly string[] NeededFiles =
    [
        IndexName,
        $"{TokenizerName}/vocab.json",
        $"{TokenizerName}/merges.txt",
        $"{SchedulerName}/scheduler_config.json",
    ];
    private static readonly string[] OtherWeights = [".ckpt", ".msgpack", ".h5", ".onnx", ".gguf", ".zip", ".tar", ".gz"];

    private readonly List<OpenNetwork> _networks = [];
    private readonly SortedDictionary<string, string> _files = new(StringComparer.Ordinal);
    private readonly List<string> _missing = [];
    private readonly List<string> _faults = [];

    private ModelFolder(string root) => Root = root;

    /// <summary>The folder.</summary>
    public string Root { get; }

    /// <summary>The networks that are there.</summary>
    public IReadOnlyList<OpenNetwork> Networks => _networks;

    /// <summary>Small files by their path in the layout, with slashes: those at the top, of the tokenizer and of the original sampler.</summary>
    public IReadOnlyDictionary<string, string> Files => _files;

    /// <summary>Parts of the published layout that are not there.</summary>
    public IReadOnlyList<string> Missing => _missing;

    /// <summary>All that is wrong, each in one line: files that cannot be opened, links that lead out of the folder, weights that do not fit their
    /// configuration.</summary>
    public IReadOnlyList<string> Problems => [.. _faults, .. _networks.SelectMany(network => network.Problems())];

    /// <summary>Opens what is there; what cannot be opened is among <see cref="Problems"/>.</summary>
    /// <exception cref="ModelException">There is no folder.</exception>
    public static ModelFolder Open(string path, SourceOptions options)
    {
        string root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        foreach (string folder in new[] { root, options.Base }.OfType<string>())
        {
            if (!Directory.Exists(folder))
            {
                throw new ModelException($"{folder}: wanted a model folder with transformer/, vqvae/, text_encoder/, tokenizer/ and scheduler/, got {(File.Exists(folder) ? "a file" : "nothing")}; check the path");
            }
        }

        var opened = new ModelFolder(root);
        try
        {
            opened.Open(options);
            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>Refuses a folder that lacks a part, or whose weights do not fit the configurations, listing all at once.</summary>
    /// <exception cref="ModelException">As said.</exception>
    public void RequireWhole()
    {
        if (Problems is { Count: > 0 } problems)
        {
            string remedy =
                problems.Count > TensorFit.Shown ? "verify lists everything"
                : _faults.Count == problems.Count ? ""
                : "use weights and config.json of one model";
            throw new ModelException($"{Root}: not a whole model: {TensorFit.Listed(problems)}{(remedy.Length > 0 ? "; " : "")}{remedy}");
        }

        if (_missing.Count > 0)
        {
            throw new ModelException($"{Root}: wanted the whole published layout, missing are {string.Join(", ", _missing)}; download the folder again, or name one that has them with --base");
        }

        CheckTogether();
    }

    /// <summary>Checks that the parts that are there belong to one model.</summary>
    /// <exception cref="ModelException">They do not.</exception>
    public void CheckTogether()
    {
        TransformerConfig? transformer = Config<TransformerConfig>(NetworkFolder.Transformer);
        VqConfig? pictures = Config<VqConfig>(NetworkFolder.PictureModel);
        ClipTextConfig? text = Config<ClipTextConfig>(NetworkFolder.TextEncoder);
        ClipTokenizer? tokenizer = _files.Keys.Any(path => path.StartsWith(TokenizerName + "/", StringComparison.Ordinal))
            ? ClipTokenizer.Load(TokenizerFolder())
            : null;
        FolderParts.Check(transformer, pictures, text, tokenizer);
    }

    /// <summary>Closes the weight files.</summary>
    public void Dispose() => _networks.ForEach(network => network.Dispose());

    private T? Config<T>(NetworkFolder network)
        where T : class =>
        _networks.Find(open => open.Network == network) is { } open ? ConfigFile.Read<T>(open.ConfigPath, "a configuration") : null;

    private string TokenizerFolder() =>
        Path.GetDirectoryName(_files.First(file => file.Key.StartsWith(TokenizerName + "/", StringComparison.Ordinal)).Value)!;

    private void Open(SourceOptions options)
    {
        Try(() => AddFiles(Root, "", options.Base));
        foreach (string name in SmallFolders)
        {
            if (Find(name, options.Base) is { } owner)
            {
                Try(() => AddFiles(owner, name, null));
            }
        }

        foreach (NetworkFolder network in NetworkFolder.All)
        {
            if (Find(network.Name, options.Base) is { } owner)
            {
                Try(() => _networks.Add(OpenNetwork(network, owner, options)));
            }
        }

        _missing.AddRange(
            NeededFiles.Where(file => !_files.ContainsKey(file) && !_missing.Contains(file[..(file.IndexOf('/', StringComparison.Ordinal) + 1)]))
        );
    }

    private void Try(Action open)
    {
        try
        {
            open();
        }
        catch (Exception error) when (error is ModelException or WeightsFileException)
        {
            _faults.Add(error.Message);
        }
    }

    /// <summary>The folder that has the part, or null and a note.</summary>
    private string? Find(string part, string? other)
    {
        string? owner = new[] { Root, other }.FirstOrDefault(folder => folder is not null && Directory.Exists(Path.Combine(folder, part)));
        if (owner is null)
        {
            _missing.Add(part + "/");
        }

        return owner;
    }

    private static OpenNetwork OpenNetwork(NetworkFolder network, string owner, SourceOptions options)
    {
        string folder = Path.Combine(owner, network.Name), config = Path.Combine(folder, NetworkFolder.ConfigName);
        CheckLinks(owner, folder);
        string? variant = options.Variant;
        if (network == NetworkFolder.TextEncoder && options.TextEncoder is { } other)
        {
            if (!Directory.Exists(other))
            {
                return new OpenNetwork(network, config, other, network.ExpectedTensors(config), network.OpenWeightsFile(other));
            }

            string otherConfig = Path.Combine(other, NetworkFolder.ConfigName);
            CheckLinks(other, other);
            (folder, config, variant) = (other, File.Exists(otherConfig) ? otherConfig : config, null);
        }

        IReadOnlyList<SafetensorsTensor> expected = network.ExpectedTensors(config);
        return new OpenNetwork(network, config, folder, expected, network.OpenWeights(folder, variant));
    }

    private static void CheckLinks(string root, string folder)
    {
        foreach (string file in Directory.EnumerateFileSystemEntries(folder))
        {
            FolderLinks.Check(root, file);
        }
    }

    /// <summary>The small files of one folder; at the top the files of <paramref name="other"/> stand in for those that are not there.</summary>
    private void AddFiles(string root, string folder, string? other)
    {
        string inside = Path.Combine(root, folder);
        if (other is not null && !File.Exists(Path.Combine(root, IndexName)))
        {
            AddFiles(other, folder, null);
        }

        foreach (string file in Directory.EnumerateFiles(inside).Order(StringComparer.Ordinal))
        {
            string name = Path.GetFileName(file);
            if (
                name[0] == '.'
                || name == FolderManifest.FileName
                || WeightsFolder.IsWeightFile(name)
                || OtherWeights.Contains(Path.GetExtension(name), StringComparer.OrdinalIgnoreCase)
            )
            {
                continue;
            }

            FolderLinks.Check(root, file);
            if (new FileInfo(file).Length > MostSmallBytes)
            {
                throw new ModelException($"{file}: wanted configurations, tokenizer files and texts of at most {MostSmallBytes} bytes beside the weights, got a larger file; remove it from the folder");
            }

            CheckJson(file);
            _files[folder.Length == 0 ? name : $"{folder}/{name}"] = file;
        }
    }

    private static void CheckJson(string file)
    {
        if (!file.EndsWith(".json", StringComparison.Ordinal))
        {
            return;
        }

        try
        {
            using FileStream stream = File.OpenRead(file);
            using JsonDocument json = JsonDocument.Parse(stream, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip });
        }
        catch (JsonException error)
        {
            throw new ModelException($"{file}: wanted JSON, got an error at line {error.LineNumber + 1}: {error.Message.ReplaceLineEndings(" ")}; restore the file from the model's source");
        }
    }
}
