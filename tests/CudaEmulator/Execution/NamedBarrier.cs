using CoGrpo.CudaEmulator.Compilation;

namespace CoGrpo.CudaEmulator.Execution;

/// <summary>One of the 16 barriers of a block.</summary>
internal sealed unsafe class NamedBarrier(int warps)
{
    /// <summary>Warps that arrived.</summary>
    public int Arrived { get; set; }

    /// <summary>Warps that must arrive; 0 for all that live.</summary>
    public int Expected { get; set; }

    /// <summary>Warps that wait.</summary>
    public List<Warp> Waiting { get; } = [];

    /// <summary>Where the first arrival was.</summary>
    public Instr* First { get; set; }

    /// <summary>What those that arrived have done and known.</summary>
    public uint[] Row { get; } = new uint[warps];

    /// <summary>Threads whose predicate held.</summary>
    public int Votes { get; set; }

    /// <summary>Threads that voted.</summary>
    public int Voters { get; set; }

    /// <summary>Nobody has arrived.</summary>
    public void Reset()
    {
        (Arrived, Expected, Votes, Voters) = (0, 0, 0, 0);
        First = null;
        Waiting.Clear();
        Array.Clear(Row);
    }
}
