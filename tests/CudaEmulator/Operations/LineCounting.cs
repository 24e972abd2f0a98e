using System.Runtime.CompilerServices;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>Stands before the handlers of memory and matrix instructions in kernels whose counters are kept by source line.</summary>
internal static unsafe class LineCounting
{
    /// <summary>Executes the instruction and books what the counters gained on it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Run(Warp warp, Instr* at)
    {
        KernelCode code = warp.Launch.Code;
        RawCounters before = *warp.Counters;
        var handler = (delegate*<Warp, Instr*, Instr*>)code.Handlers![at - code.First];
        Instr* next = handler(warp, at);
        LineCounter* line = warp.Lines + (at - code.First);
        line->Executions++;
        long* sum = (long*)&line->Counters;
        long* now = (long*)warp.Counters;
        for (int i = 0; i < sizeof(RawCounters) / sizeof(long); i++)
        {
            sum[i] += now[i] - ((long*)&before)[i];
        }

        return next;
    }
}
