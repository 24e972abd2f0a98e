using CoGrpo.Cli;
using CoGrpo.CudaEmulator;

// cogrpo-native on a machine whose GPUs are emulated: the same commands, the same host code, the kernels that NVRTC compiles. For trying --device cuda
// without a GPU; thousands of times slower than one.
//   dotnet run -c Release --project tests/EmulatedCli -- train --config configs/emoji-scenes.json --device cuda
CliContext process = CliContext.OfProcess();
CliContext context = new()
{
    Out = process.Out,
    Error = process.Error,
    Interactive = process.Interactive,
    Debug = process.Debug,
    CudaDriver = () => EmulatedMachine.Driver,
};
using Interruption interruption = new(context.Error);
return CliApplication.Run(CommandSet.Create(context), args, context, interruption.Token);
