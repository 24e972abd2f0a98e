using System.Runtime.InteropServices;
using CoGrpo.CudaEmulator.Execution;

namespace CoGrpo.CudaEmulator.Compilation;

/// <summary>
/// A decoded instruction: what executes it and where its operands lie. Operands are byte offsets into the register banks of the running
/// frame (<see cref="Warp.R"/> 32-bit, <see cref="Warp.D"/> 64-bit), or indices of predicates (<see cref="Warp.P"/>).
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = 64)]
internal unsafe struct Instr
{
    /// <summary>Executes the instruction for the active lanes and returns the next one, or null to leave the warp.</summary>
    public delegate*<Warp, Instr*, Instr*> Handler;

    /// <summary>What <see cref="Handler"/> calls when it is the guard.</summary>
    public delegate*<Warp, Instr*, Instr*> Inner;

    public int D;
    public int A;
    public int B;
    public int C;
    public int E;
    public int F;

    /// <summary>Predicate of the guard or branch.</summary>
    public int Guard;

    /// <summary>All ones where the predicate is negated.</summary>
    public uint GuardFlip;

    /// <summary>An immediate, an address offset, or the target of a branch.</summary>
    public long Value;

    /// <summary>Meaning depends on the instruction: flags, a number of an object in the code's table.</summary>
    public int Extra;

    public int Flags;
}
