using System.CommandLine;
using CoGrpo.Rl.Serving;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Cli.Commands;

/// <summary><c>merge</c>: a model folder with adapters in its weights.</summary>
internal sealed class MergeCommand : Command
{
    private readonly Option<string?> _checkpoint = new("--checkpoint", "-m")
    {
        Description = "Folder of the model the adapters were trained on; without one the shipped model.",
        HelpName = "FOLDER",
    };
    private readonly Option<string> _output = new("--output", "-o")
    {
        Description = "Folder to write, which must not exist.",
        HelpName = "FOLDER",
        Required = true,
    };
    private readonly LoraOption _lora = new();
    private readonly CliContext _context;

    /// <summary>The command.</summary>
    public MergeCommand(CliContext context)
        : base("merge", "Write a model folder with low-rank adapters added to its weights.")
    {
        _context = context;
        Add(_checkpoint);
        _lora.AddTo(this);
        Add(_output);
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        LoraSource lora =
            _lora.Read(parsed) ?? throw new CommandException("--lora: expected adapters to merge, found none; name their folder", ExitCode.Usage);
        string output = Path.GetFullPath(parsed.GetRequiredValue(_output));
        using ComputeDevice device = ComputeDevice.Cpu();
        MergeService.Run(parsed.GetValue(_checkpoint) ?? ShippedModel.Find(), lora, output, device);
        _context.Out.WriteLine($"model: {output}");
        return ExitCode.Success;
    }
}
