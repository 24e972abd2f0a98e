namespace CoGrpo.CudaEmulator.Compilation;

/// <summary>A value that a register slot holds from the start: the bits of a constant, a special register or a kernel parameter.</summary>
internal readonly record struct Preset(Bank Bank, int Offset, PresetKind Kind, ulong Value);

/// <summary>Where the value of a <see cref="Preset"/> comes from.</summary>
internal enum PresetKind
{
    /// <summary><see cref="Preset.Value"/> is the value.</summary>
    Constant,

    /// <summary><see cref="Preset.Value"/> is the number of a special register.</summary>
    Special,

    /// <summary><see cref="Preset.Value"/> is an offset in the kernel's parameters.</summary>
    Parameter,
}

/// <summary>A compiled function: its code and the shape of its frame.</summary>
internal sealed unsafe class FunctionCode(string name)
{
    public string Name { get; } = name;

    public Instr* Entry { get; set; }

    /// <summary>Bytes of 32-bit registers of a frame.</summary>
    public int WordBytes { get; set; }

    /// <summary>Bytes of 64-bit registers of a frame.</summary>
    public int DoubleBytes { get; set; }

    public int Predicates { get; set; }

    public int LocalBytes { get; set; }

    /// <summary>Slots filled before the first instruction.</summary>
    public List<Preset> Presets { get; } = [];

    /// <summary>Offsets of the slots that hold parameters and results, one slot per 4 bytes.</summary>
    public int[] ParameterSlots { get; set; } = [];

    public int[] ResultSlots { get; set; } = [];
}

/// <summary>A call instruction: whom it calls and which slots are handed over.</summary>
internal sealed class CallSite
{
    /// <summary>The function, or null when a register names it.</summary>
    public FunctionCode? Target { get; init; }

    /// <summary>Slots of the caller that hold arguments, in the order of <see cref="FunctionCode.ParameterSlots"/>.</summary>
    public required int[] Arguments { get; init; }

    public required int[] Results { get; init; }
}

/// <summary>Marks at the head of blocks (<see cref="Instr.Flags"/>).</summary>
internal static class ControlFlags
{
    /// <summary>The block does nothing but end the threads.</summary>
    public const int ExitBlock = 1;
}
