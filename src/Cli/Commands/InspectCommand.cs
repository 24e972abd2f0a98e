using System.CommandLine;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Cli.Commands;

/// <summary><c>inspect</c>: the tensors of a weight file, or of all such files of a folder.</summary>
internal sealed class InspectCommand : Command
{
    private readonly Argument<string> _path = new("path")
    {
        Description = "A .safetensors, .bin, .pt or .pth file, or a folder that is searched for them.",
        HelpName = "FILE-or-FOLDER",
    };
    private readonly CliContext _context;

    /// <summary>The command.</summary>
    public InspectCommand(CliContext context)
        : base("inspect", "List the tensors of a weight file or of a model folder.")
    {
        _context = context;
        Add(_path);
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        string path = parsed.GetRequiredValue(_path);
        if (Directory.Exists(path))
        {
            string[] files =
            [
                .. Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Where(WeightsFolder.IsWeightFile).Order(StringComparer.Ordinal),
            ];
            if (files.Length == 0)
            {
                throw new CommandException($"{path}: no weight file in this folder; name a checkpoint folder or a file");
            }

            foreach (string file in files)
            {
                List(file);
            }

            return ExitCode.Success;
        }

        if (!File.Exists(path))
        {
            throw new CommandException($"{path}: no such file or folder; check the path");
        }

        List(path);
        return ExitCode.Success;
    }

    private void List(string path)
    {
        using ITensorSource file = WeightsFolder.OpenFile(path);
        TextWriter output = _context.Out;
        output.WriteLine(path);
        foreach ((string key, string value) in file.Metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            output.WriteLine($"  {key} = {(value.Length > 100 ? value[..100] + "..." : value).ReplaceLineEndings(" ")}");
        }

        SafetensorsTensor[] tensors = [.. file.Tensors.Values.OrderBy(tensor => tensor.Name, StringComparer.Ordinal)];
        int width = tensors.Length == 0 ? 0 : Math.Min(80, tensors.Max(tensor => tensor.Name.Length));

        // Names come from the file: control characters must not reach the terminal.
        foreach (SafetensorsTensor tensor in tensors)
        {
            string shape = "[" + string.Join(", ", tensor.Shape.ToArray()) + "]";
            output.WriteLine($"  {string.Concat(tensor.Name.Select(c => char.IsControl(c) ? '?' : c)).PadRight(width)}  {tensor.Type,-8} {shape,-22} {ByteText.Of(tensor.ByteCount)}");
        }

        output.WriteLine(
            $"  {tensors.Length} tensors, {tensors.Sum(tensor => tensor.Count):N0} values, {ByteText.Of(tensors.Sum(tensor => tensor.ByteCount))}"
        );
    }
}
