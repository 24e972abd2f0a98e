namespace CoGrpo.CudaEmulator.Ptx;

/// <summary>A declared register.</summary>
internal sealed class PtxRegister(string name, PtxType type)
{
    public string Name { get; } = name;

    public PtxType Type { get; } = type;
}

/// <summary>An operand of an instruction.</summary>
internal abstract record PtxOperand
{
    /// <summary>A register, or its negation where it is a predicate.</summary>
    internal sealed record Register(PtxRegister Value, bool Negated = false) : PtxOperand;

    /// <summary>Two predicates written by one instruction, <c>%p1|%p2</c>; each may be null for <c>_</c>.</summary>
    internal sealed record Pair(PtxRegister? First, PtxRegister? Second) : PtxOperand;

    /// <summary>A number. <paramref name="Bits"/> is an integer in two's complement or the bits of a double or float.</summary>
    internal sealed record Immediate(ulong Bits, ImmediateForm Form) : PtxOperand;

    /// <summary>A special register: <c>%tid.x</c>.</summary>
    internal sealed record Special(string Name, bool Negated = false) : PtxOperand;

    /// <summary>The address of a variable or function, or a label.</summary>
    internal sealed record Symbol(string Name, long Offset = 0) : PtxOperand;

    /// <summary><c>[base + offset]</c>; the base is a <see cref="Register"/>, a <see cref="Symbol"/> or null.</summary>
    internal sealed record Address(PtxOperand? Base, long Offset, PtxOperand? Second = null) : PtxOperand;

    /// <summary><c>{a, b}</c> and the argument lists of calls.</summary>
    internal sealed record Vector(PtxOperand[] Items) : PtxOperand;

    /// <summary><c>_</c>: a result that nobody wants.</summary>
    internal sealed record Sink : PtxOperand;
}

/// <summary>How an immediate was written.</summary>
internal enum ImmediateForm
{
    Integer,
    Single,
    Double,
}
