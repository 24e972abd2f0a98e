using CoGrpo.CudaEmulator.Compilation;

namespace CoGrpo.CudaEmulator.Execution;

/// <summary>
/// An activation of a function by lanes of a warp: where its registers lie and where it returns to. Frames at the same depth may overlap
/// in memory; lanes use only their own columns.
/// </summary>
internal sealed unsafe class Frame(FunctionCode function, Frame? parent, Instr* back, CallSite? site)
{
    public FunctionCode Function { get; } = function;

    public Frame? Parent { get; } = parent;

    /// <summary>Where the caller goes on.</summary>
    public Instr* Return { get; } = back;

    public CallSite? Site { get; } = site;

    public int Depth { get; } = parent is null ? 0 : parent.Depth + 1;

    public byte* R { get; init; }

    public byte* D { get; init; }

    public uint* P { get; init; }

    /// <summary>Offset of the frame's variables in local memory.</summary>
    public int Local { get; init; }

    /// <summary>Whether both are the same activation as far as lanes that meet are concerned: same chain of calls.</summary>
    public static bool Same(Frame a, Frame b)
    {
        Frame? x = a;
        Frame? y = b;
        while (x is not null && y is not null && x != y)
        {
            if (x.Return != y.Return || x.Function != y.Function)
            {
                return false;
            }

            (x, y) = (x.Parent, y.Parent);
        }

        return x == y;
    }
}
