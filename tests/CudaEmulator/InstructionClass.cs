namespace CoGrpo.CudaEmulator;

/// <summary>Kinds of instruction that a launch report counts.</summary>
public enum InstructionClass
{
    /// <summary>Integer arithmetic, logic and shifts.</summary>
    Integer,

    /// <summary>fp32 arithmetic.</summary>
    Float32,

    /// <summary>fp64 arithmetic.</summary>
    Float64,

    /// <summary>fp16 and bf16 arithmetic.</summary>
    Half,

    /// <summary>Functions of the special-function unit: reciprocals, roots, exponentials, sines.</summary>
    Special,

    /// <summary>Conversions between types.</summary>
    Conversion,

    /// <summary>Comparisons, selections and predicates.</summary>
    Comparison,

    /// <summary>Moves, packing and reading of special registers.</summary>
    Move,

    /// <summary>Branches, calls and returns.</summary>
    Control,

    /// <summary>Loads and stores of global memory, and those whose space is known only at run time.</summary>
    Global,

    /// <summary>Loads and stores of shared memory, ldmatrix and stmatrix.</summary>
    Shared,

    /// <summary>Loads and stores of local memory.</summary>
    Local,

    /// <summary>Loads of constants and parameters.</summary>
    Constant,

    /// <summary>Atomics and reductions in memory.</summary>
    Atomic,

    /// <summary>Asynchronous copies and what belongs to them.</summary>
    AsyncCopy,

    /// <summary>Shuffles, votes, matches and reductions over a warp.</summary>
    Warp,

    /// <summary>Barriers and fences.</summary>
    Barrier,

    /// <summary>Matrix multiply-adds.</summary>
    Tensor,

    /// <summary>Anything else.</summary>
    Other,
}
