using System.CommandLine;
using CoGrpo.Model.Conversion;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Cli.Commands.Conversion;

/// <summary><c>synthesize-reward</c>: a folder with the file of a reward network like the published one, with seeded weights.</summary>
internal sealed class SynthesizeRewardCommand : ConversionCommand
{
    private readonly Argument<string> _name = new("name") { Description = "The reward.", HelpName = "imageReward|hpsv2|clipScore" };
    private readonly Argument<string> _output = new("out") { Description = "Folder to write, which must not exist.", HelpName = "OUT" };
    private readonly Option<ulong> _seed = new("--seed")
    {
        Description = "Seed of the weights.",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
    };
    private readonly Option<string> _size = new("--size")
    {
        Description = "Published sizes (2 GB for ImageReward, 4 GB for the others in fp32) or tiny ones (a few MB).",
        HelpName = "full|tiny",
        DefaultValueFactory = _ => "full",
    };
    private readonly Option<string> _format = new("--format")
    {
        Description = "A PyTorch archive, as published, or safetensors.",
        HelpName = "pt|safetensors",
        DefaultValueFactory = _ => "pt",
    };
    private readonly Option<string?> _type = ElementTypeOption("Element type of the weights; fp32 without it.");

    /// <summary>The command.</summary>
    public SynthesizeRewardCommand(CliContext context)
        : base("synthesize-reward", "Write the file of a reward network with published names and shapes and seeded weights, to try scoring and training without the published ones.", context)
    {
        _name.AcceptOnlyFromAmong("imageReward", "hpsv2", "clipScore");
        _size.AcceptOnlyFromAmong("full", "tiny");
        _format.AcceptOnlyFromAmong("pt", "safetensors");
        Add(_name);
        Add(_output);
        Add(_seed);
        Add(_size);
        Add(_format);
        Add(_type);
    }

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, CancellationToken cancellation)
    {
        string output = Path.GetFullPath(parsed.GetRequiredValue(_output));
        bool tiny = parsed.GetValue(_size) == "tiny";
        SyntheticReward reward = parsed.GetRequiredValue(_name) switch
        {
            "imageReward" => SyntheticReward.ImageReward(tiny),
            "hpsv2" => SyntheticReward.Hps(tiny),
            _ => SyntheticReward.ClipScore(tiny),
        };
        Show(
            "synthesize",
            progress =>
                SyntheticRewardFolder.Write(
                    output,
                    reward,
                    parsed.GetValue(_format) == "pt",
                    parsed.GetValue(_seed),
                    ElementType(parsed.GetValue(_type)) ?? SafetensorsType.F32,
                    progress,
                    cancellation
                )
        );
        Context.Out.WriteLine($"weights: {output}");
        return ExitCode.Success;
    }
}
