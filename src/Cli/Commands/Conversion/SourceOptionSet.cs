using System.CommandLine;
using CoGrpo.Model.Conversion;

namespace CoGrpo.Cli.Commands.Conversion;

/// <summary>The options that say which parts of a model folder are meant.</summary>
internal sealed class SourceOptionSet
{
    private readonly Option<string?> _variant = new("--variant")
    {
        Description = "Word in the names of the weight files wanted, as fp16 in model.fp16.safetensors.",
        HelpName = "WORD",
    };
    private readonly Option<string?> _text = new("--text-encoder")
    {
        Description = "Weight file or folder to take the text encoder from, in Hugging Face's or open_clip's names.",
        HelpName = "PATH",
    };
    private readonly Option<string?> _base = new("--base")
    {
        Description = "Model folder to take the parts from that the first one has not, such as vqvae/.",
        HelpName = "FOLDER",
    };

    /// <summary>Adds the options to <paramref name="command"/>.</summary>
    public void AddTo(Command command)
    {
        command.Add(_variant);
        command.Add(_text);
        command.Add(_base);
    }

    /// <summary>What was asked for.</summary>
    public SourceOptions Read(ParseResult parsed) =>
        new()
        {
            Variant = parsed.GetValue(_variant),
            TextEncoder = parsed.GetValue(_text),
            Base = parsed.GetValue(_base),
        };
}
