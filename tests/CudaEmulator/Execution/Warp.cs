using System.Runtime.CompilerServices;
using CoGrpo.CudaEmulator.Checks;
using CoGrpo.CudaEmulator.Compilation;

namespace CoGrpo.CudaEmulator.Execution;

/// <summary>What a warp is doing when it is not running.</summary>
internal enum WarpStatus
{
    Ready,
    AtBarrier,
    Done,
}

/// <summary>
/// 32 threads in step. Registers lie in native memory, one slot of 32 lanes each; the interpreter's handlers work on them through the
/// public fields. Lanes whose paths separated are kept as fragments, of which one runs at a time.
/// </summary>
internal sealed unsafe partial class Warp(Block block, int index)
{
    /// <summary>32-bit registers of the running frame.</summary>
    public byte* R;

    /// <summary>64-bit registers of the running frame.</summary>
    public byte* D;

    /// <summary>Predicates of the running frame, one bit per lane.</summary>
    public uint* P;

    /// <summary>Lanes that execute the current instruction.</summary>
    public uint Mask;

    /// <summary>Lanes whose registers may be written: those of <see cref="Mask"/>, and those that ended, which nobody looks at.</summary>
    public uint Store;

    /// <summary>Lanes of the running fragment.</summary>
    public uint Active;

    /// <summary>Lanes that ended or never were.</summary>
    public uint Dead;

    /// <summary>Carry of the extended-precision instructions.</summary>
    public uint Carry;

    /// <summary>The first place at which other lanes wait: nobody goes there alone.</summary>
    public Instr* Stop;

    /// <summary>Instructions left in this turn.</summary>
    public long Budget;

    /// <summary>Executions of each basic block: warps, then threads.</summary>
    public long* BlockCounts;

    /// <summary>Counters of the worker.</summary>
    public RawCounters* Counters;

    /// <summary>Counters by instruction, in launches that keep them.</summary>
    public LineCounter* Lines;

    /// <summary>Effective addresses of the lanes for the instruction that is being executed.</summary>
    public ulong* Addresses;

    /// <summary>Memory of the worker for whatever one instruction needs beside registers.</summary>
    public byte* Scratch;

    /// <summary>Two sets of the worker.</summary>
    public SmallSet* Sets;

    /// <summary>Regions that memory instructions used last, by their number.</summary>
    public Memory.Region** Cache;

    public RaceView SharedView;

    public RaceView GlobalView;

    /// <summary>Clock up to which all lanes of the warp are ordered after each other.</summary>
    public uint WarpLow;

    /// <summary>What lanes know of each other beyond that; null when nothing.</summary>
    public LaneOrder? Lanes;

    /// <summary>Asynchronous copies under way.</summary>
    public readonly AsyncCopies Copies = new();

    public Block Block { get; } = block;

    public int Index { get; } = index;

    public Launch Launch => Block.Launch;

    public WarpStatus Status { get; set; }

    /// <summary>Where to go on.</summary>
    public Instr* Resume { get; set; }

    /// <summary>Length of the turn under way.</summary>
    public long TurnStart { get; private set; }

    /// <summary>Instructions executed in this launch before this turn.</summary>
    public long Executed { get; set; }

    /// <summary>Times the clock was read.</summary>
    public long ClockReads { get; set; }

    public Frame Frame { get; private set; } = null!;

    /// <summary>Thread-local memory.</summary>
    public LocalMemory Local { get; } = new();

    /// <summary>Runs until the warp waits, ends or has used up its turn.</summary>
    public void Run(long budget)
    {
        Budget = budget;
        TurnStart = budget;
        Instr* at = Resume;
        try
        {
            do
            {
                at = at->Handler(this, at);
            }
            while (at != null);
        }
        finally
        {
            Executed += TurnStart - Budget;
        }

        if (Executed > Launch.Options.InstructionLimit && Status == WarpStatus.Ready)
        {
            throw Fail(ViolationKind.InstructionLimit, Resume, FirstLane(Active),
                $"a warp executed more than {Launch.Options.InstructionLimit} instructions; the loop it is in may never end");
        }
    }

    /// <summary>Starts a thread block's warp: all lanes below <paramref name="threads"/> at the entry.</summary>
    public void Start(Frame frame, Instr* entry, int threads)
    {
        SetFrame(frame);
        Dead = threads >= 32 ? 0 : uint.MaxValue << threads;
        SetActive(~Dead);
        Resume = entry;
        Status = WarpStatus.Ready;
        Executed = 0;
        ClockReads = 0;
        Stop = (Instr*)nuint.MaxValue;
        _others.Clear();
        _turn = 0;
        Copies.Clear();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetActive(uint lanes)
    {
        Active = lanes;
        Mask = lanes;
        Store = lanes | Dead;
    }

    private void SetFrame(Frame frame)
    {
        Frame = frame;
        R = frame.R;
        D = frame.D;
        P = frame.P;
    }

    /// <summary>Leaves the interpreter; the warp goes on at <paramref name="resume"/>.</summary>
    public Instr* Leave(Instr* resume, WarpStatus status)
    {
        Resume = resume;
        Status = status;
        return null;
    }

    public static int FirstLane(uint lanes) => lanes == 0 ? 0 : System.Numerics.BitOperations.TrailingZeroCount(lanes);

    /// <summary>The exception for a violation by a lane at an instruction.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public ViolationException Fail(ViolationKind kind, Instr* at, int lane, string text, ulong? address = null) =>
        new(ViolationReport.Make(this, kind, at, lane, text, address));
}
