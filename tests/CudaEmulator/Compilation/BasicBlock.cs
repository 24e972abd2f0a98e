using CoGrpo.CudaEmulator.Ptx;

namespace CoGrpo.CudaEmulator.Compilation;

/// <summary>How a block ends.</summary>
internal enum BlockEnd
{
    /// <summary>Goes on with <see cref="BasicBlock.Next"/>.</summary>
    Fall,

    /// <summary>To <see cref="BasicBlock.Target"/> where the predicate holds, else to <see cref="BasicBlock.Next"/>.</summary>
    Branch,

    /// <summary>To the entry of <see cref="BasicBlock.Targets"/> that a register names.</summary>
    Table,

    /// <summary>Calls a function, then goes on with <see cref="BasicBlock.Next"/>.</summary>
    Call,

    /// <summary>Returns from a device function.</summary>
    Return,

    /// <summary>The threads end.</summary>
    Exit,
}

/// <summary>Instructions that are executed from first to last, and what comes after.</summary>
internal sealed class BasicBlock(int index)
{
    /// <summary>Position in the text.</summary>
    public int Index { get; } = index;

    public List<PtxInstruction> Body { get; } = [];

    public BlockEnd End { get; set; }

    /// <summary>The instruction of the end, where there is one.</summary>
    public PtxInstruction? EndInstruction { get; set; }

    public PtxRegister? Predicate { get; set; }

    public bool PredicateNegated { get; set; }

    public BasicBlock? Target { get; set; }

    public BasicBlock? Next { get; set; }

    public BasicBlock[] Targets { get; set; } = [];

    /// <summary>Position in the order of the code; -1 when it cannot be reached.</summary>
    public int Order { get; set; } = -1;

    public IEnumerable<BasicBlock> Successors => End switch
    {
        BlockEnd.Fall or BlockEnd.Call => [Next!],
        BlockEnd.Branch => [Next!, Target!],
        BlockEnd.Table => Targets,
        _ => [],
    };
}
