using System.CommandLine;
using System.Globalization;
using CoGrpo.Model.Images;
using CoGrpo.Rl.Serving;

namespace CoGrpo.Cli.Commands;

/// <summary>
/// The options of <c>sample</c> that only a model folder in the published layout knows: size, negative prompt, start picture, mask, the published
/// count rule.
/// </summary>
internal sealed class PictureOption
{
    private readonly Option<int?> _width = new("--width")
    {
        Description = "Pixels in a row, for a published model; 1024, or 512 for one that does not halve its grid.",
        HelpName = "W",
    };
    private readonly Option<int?> _height = new("--height") { Description = "Rows of a picture, likewise.", HelpName = "H" };
    private readonly Option<string?> _negative = new("--negative") { Description = "What guidance leads away from.", HelpName = "PROMPT" };
    private readonly Option<string?> _init = new("--init") { Description = "PNG file to start from (image to image).", HelpName = "FILE" };
    private readonly Option<double> _strength = new("--strength")
    {
        Description = "With --init: share of the steps that are run; 1 draws anew, less keeps more.",
        HelpName = "S",
        DefaultValueFactory = _ => 1,
    };
    private readonly Option<string?> _mask = new("--mask")
    {
        Description = "With --init: PNG file, bright where the picture is to be drawn anew (in-painting).",
        HelpName = "FILE",
    };
    private readonly SamplerOption _sampler = new();

    /// <summary>Adds the options to <paramref name="command"/>.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in All)
        {
            command.Add(option);
        }
    }

    /// <summary>The settings that the options stand for.</summary>
    public IEnumerable<string> Overrides(ParseResult parsed)
    {
        foreach ((string path, Option<int?> option) in new[] { ("sampling.width", _width), ("sampling.height", _height) })
        {
            if (parsed.GetValue(option) is { } pixels)
            {
                yield return string.Create(CultureInfo.InvariantCulture, $"{path}={pixels}");
            }
        }
    }

    /// <summary>The first of these options that was given, or null.</summary>
    public string? FirstGiven(ParseResult parsed) => All.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false })?.Name;

    /// <summary>The checked options; pictures are read.</summary>
    /// <exception cref="CommandException">They contradict each other.</exception>
    /// <exception cref="PngException">A picture cannot be read.</exception>
    public PictureOptions Read(ParseResult parsed, IReadOnlyList<string> prompts, int samples)
    {
        double strength = parsed.GetValue(_strength);
        if (!(strength is > 0 and <= 1))
        {
            throw new CommandException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"--strength: expected a number above 0 and up to 1, found {strength}; 1 draws anew, less keeps more of the picture"
                ),
                ExitCode.Usage
            );
        }

        string? init = parsed.GetValue(_init), mask = parsed.GetValue(_mask);
        if (init is null && (mask is not null || strength < 1))
        {
            throw new CommandException(
                $"{(mask is null ? "--strength" : "--mask")}: expected --init with it, found none; name the picture to start from",
                ExitCode.Usage
            );
        }

        return new PictureOptions
        {
            Prompts = prompts,
            Samples = samples,
            NegativePrompt = parsed.GetValue(_negative) ?? "",
            Source = init is null ? null : PngReader.Read(init).Over(255, 255, 255),
            Strength = strength,
            Mask = mask is null ? null : PngReader.Read(mask).Over(0, 0, 0),
            ReferenceCounts = _sampler.ReferenceCounts(parsed),
        };
    }

    private Option[] All => [_width, _height, _negative, _init, _strength, _mask, _sampler.Option];
}
