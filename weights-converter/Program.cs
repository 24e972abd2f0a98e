using System.CommandLine;
using CoGrpo.Cli;
using CoGrpo.Cli.Commands.Conversion;

CliContext context = CliContext.OfProcess("weights-converter");
var root = new RootCommand("Published model folders in and out.");
foreach (Command command in ConvertCommand.All(context))
{
    root.Add(command);
}

using var interruption = new Interruption(context.Error);
return CliApplication.Run(root, args, context, interruption.Token);
