using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;
using CoGrpo.CudaEmulator.Ptx;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.CudaEmulator.Checks;

/// <summary>Puts together what a violation says.</summary>
internal static unsafe class ViolationReport
{
    public static Violation Make(Warp warp, ViolationKind kind, Instr* at, int lane, string text, ulong? address)
    {
        Launch launch = warp.Launch;
        PtxInstruction? origin = launch.Code.OriginOf(at);
        SourceLine? source = origin?.Source;
        Dim3 thread = ThreadOf(launch, (warp.Index * 32) + lane);
        Dim3 block = warp.Block.Index;
        return new Violation
        {
            Kind = kind,
            Kernel = launch.Code.Name,
            Text = text,
            File = source is null ? "" : launch.Code.Module.FileName(source.File),
            Line = source?.Line ?? 0,
            Place = launch.Code.Module.Describe(source),
            Instruction = origin is null ? "" : $"{origin.FullName} (PTX line {origin.Line})",
            Block = (block.X, block.Y, block.Z),
            Thread = (thread.X, thread.Y, thread.Z),
            Address = address,
        };
    }

    /// <summary>Index of a thread in its block from its number.</summary>
    public static Dim3 ThreadOf(Launch launch, int number)
    {
        uint n = (uint)number;
        Dim3 size = launch.BlockSize;
        return new Dim3(n % size.X, n / size.X % size.Y, n / size.X / size.Y);
    }
}
