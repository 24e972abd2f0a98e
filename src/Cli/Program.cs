using CoGrpo.Cli;

CliContext context = CliContext.OfProcess();
using Interruption interruption = new(context.Error);
return CliApplication.Run(CommandSet.Create(context), args, context, interruption.Token);
