using System.CommandLine;
using CoGrpo.Model.Conversion;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Cli.Commands.Conversion;

/// <summary><c>import</c> and <c>export</c>: a model folder from a model folder.</summary>
internal sealed class CopyCommand : ConversionCommand
{
    private readonly Argument<string> _source;
    private readonly Argument<string> _output = new("out") { Description = "Folder to make, which must not exist.", HelpName = "OUT" };
    private readonly Option<string?> _type = ElementTypeOption("Element type of all weights; without it each keeps its own, byte for byte.");
    private readonly SourceOptionSet _options = new();
    private readonly bool _isExport;

    private CopyCommand(string name, string description, string source, bool isExport, CliContext context)
        : base(name, description, context)
    {
        _isExport = isExport;
        _source = new("source")
        {
            Description = "Folder with transformer/, vqvae/, text_encoder/, tokenizer/, scheduler/ and model_index.json.",
            HelpName = source,
        };
        Add(_source);
        Add(_output);
        Add(_type);
        _options.AddTo(this);
    }

    /// <summary><c>import</c>.</summary>
    public static CopyCommand Import(CliContext context) =>
        new("import", "Check a published model folder and copy it, with checksums.", "SOURCE", isExport: false, context);

    /// <summary><c>export</c>.</summary>
    public static CopyCommand Export(CliContext context) =>
        new("export", "Write a model folder in the published layout alone, for the original pipeline.", "FOLDER", isExport: true, context);

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, CancellationToken cancellation)
    {
        string source = parsed.GetRequiredValue(_source), output = Path.GetFullPath(parsed.GetRequiredValue(_output));
        IReadOnlyList<ConvertedNetwork> networks = [];
        Show(Name, progress => networks = (_isExport ? FolderConversion.Export : (Work)FolderConversion.Import)(
            source, output, ElementType(parsed.GetValue(_type)), _options.Read(parsed), progress, cancellation));
        WriteNetworks(networks);
        Context.Out.WriteLine($"model: {output}");
        return ExitCode.Success;
    }

    private delegate IReadOnlyList<ConvertedNetwork> Work(
        string source,
        string output,
        SafetensorsType? type,
        SourceOptions options,
        IConversionProgress progress,
        CancellationToken cancellation
    );
}
