using CoGrpo.CudaEmulator.Tool;

return EmulatorTool.Run(args, Console.Out, Console.Error);
