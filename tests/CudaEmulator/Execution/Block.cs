using System.Runtime.InteropServices;
using CoGrpo.CudaEmulator.Checks;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Memory;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.CudaEmulator.Execution;

/// <summary>A thread block under execution: its warps, shared memory, barriers and clock. Reused for one block after the other of a launch.</summary>
internal sealed unsafe partial class Block : IDisposable
{
    private const int StackBytes = 4 << 20;
    private const int LocalStackBytes = 64 << 10;
    private const long WitnessTurn = 100_000;

    private readonly byte* _registers;
    private readonly ulong* _addresses;
    private readonly byte* _shared;
    private readonly FrameMemory[] _frames;
    private readonly Worker _worker;
    private uint _epoch;

    public Block(Launch launch, Worker worker)
    {
        (Launch, _worker) = (launch, worker);
        KernelCode code = launch.Code;
        int warps = launch.WarpsPerBlock;
        int stack = code.HasCalls ? StackBytes : 0;
        int words = Round(code.Entry.WordBytes) + stack;
        int doubles = Round(code.Entry.DoubleBytes) + stack;
        int predicates = Round(4 * code.Entry.Predicates) + (stack / 64);
        nuint each = (nuint)(words + doubles + predicates);
        _registers = (byte*)NativeMemory.AlignedAlloc(each * (nuint)warps, 64);
        _addresses = (ulong*)NativeMemory.AlignedAlloc((nuint)warps * 48 * sizeof(ulong), 64);
        Warps = new Warp[warps];
        _frames = new FrameMemory[warps];
        for (int w = 0; w < warps; w++)
        {
            byte* start = _registers + (each * (nuint)w);
            _frames[w] = new FrameMemory(start, start + words, start + words + doubles, each);
            Warp warp = new(this, w)
            {
                Counters = worker.Counters,
                BlockCounts = worker.BlockCounts,
                Cache = worker.Cache,
                Scratch = worker.Scratch,
                Sets = worker.Sets,
                Lines = worker.Lines,
                Addresses = _addresses + (w * 48),
            };
            warp.Local.Reserve(code.Entry.LocalBytes + (code.HasCalls ? LocalStackBytes : 0));
            Warps[w] = warp;
        }

        int shared = launch.SharedBytes;
        Shared = (Region*)NativeMemory.AllocZeroed((nuint)sizeof(Region));
        _shared = (byte*)NativeMemory.AlignedAlloc((nuint)shared + 64, 64);
        Shared->Host = _shared;
        Shared->Bytes = (ulong)shared;
        Shared->Kind = RegionKind.Shared;
        RegionShadow.Allocate(Shared, launch.Options.Checks);
        Shared->InFlight = (ulong*)NativeMemory.AllocZeroed((nuint)(shared / 64) + 2, sizeof(ulong));
        _known = new uint[warps * warps];
        Barriers = [.. Enumerable.Range(0, 16).Select(_ => new NamedBarrier(warps))];
        FillPresets(-1);
    }

    public Launch Launch { get; }

    public Warp[] Warps { get; }

    public Region* Shared { get; }

    public Dim3 Index { get; private set; }

    /// <summary>Number of the block in the grid.</summary>
    public long Number { get; private set; }

    /// <summary>Begins block <paramref name="number"/> of the launch.</summary>
    public void Start(long number)
    {
        Number = number;
        Index = Launch.BlockIndex(number);
        _epoch++;
        FillPresets(number);
        if (Shared->Written != null)
        {
            NativeMemory.Clear(Shared->Written, (nuint)((Shared->Bytes / 64) + 2) * sizeof(ulong));
        }

        if (Shared->InFlightCount > 0)
        {
            NativeMemory.Clear(Shared->InFlight, (nuint)((Shared->Bytes / 64) + 2) * sizeof(ulong));
            Shared->InFlightCount = 0;
        }

        StartClock();
        for (int w = 0; w < Warps.Length; w++)
        {
            Warp warp = Warps[w];
            FrameMemory memory = _frames[w];
            warp.Local.Forget(0, Launch.Code.Entry.LocalBytes, uint.MaxValue);
            warp.Start(
                new Frame(Launch.Code.Entry, null, null, null)
                {
                    R = memory.R,
                    D = memory.D,
                    P = memory.P,
                },
                Launch.Code.Entry.Entry,
                Launch.ThreadsPerBlock - (w * 32)
            );
        }
    }

    /// <summary>Runs the warps in turn until all have ended (true), or until the block gives way to others (false).</summary>
    public bool Run()
    {
        bool yields = Launch.Code.MayWait;
        long turn = yields ? 20_000 : 1_000_000;
        while (true)
        {
            bool ran = false;
            bool done = true;
            bool cut = false;
            foreach (Warp warp in Warps)
            {
                if (warp.Status == WarpStatus.Ready)
                {
                    RunWarp(warp, warp.TurnLength(turn));
                    ran = true;
                    cut |= warp.Status == WarpStatus.Ready;
                    if (warp.Status == WarpStatus.Done)
                    {
                        WarpEnded(warp);
                    }
                }

                done &= warp.Status == WarpStatus.Done;
            }

            if (done)
            {
                return true;
            }

            if (!ran)
            {
                throw Stuck();
            }

            if (cut && (yields || Launch.IsStopped))
            {
                return false;
            }
        }
    }

    /// <summary>
    /// Runs a warp. When it reads what nothing has written, the others are let go on to their next barrier: one of them may be about to write it,
    /// and then a barrier is what is missing.
    /// </summary>
    private void RunWarp(Warp warp, long turn)
    {
        try
        {
            warp.Run(turn);
        }
        catch (ViolationException error) when (error.Unwritten != null)
        {
            foreach (Warp other in Warps)
            {
                try
                {
                    if (other != warp && other.Status == WarpStatus.Ready)
                    {
                        other.Run(WitnessTurn);
                    }
                }
                catch (ViolationException)
                {
                    // Only the first violation counts.
                }
            }

            throw RaceRules.Explain(warp, error);
        }
    }

    /// <summary>Begins a frame of a call; null when the stack is full.</summary>
    public Frame? NewFrame(Warp warp, FunctionCode function, Instr* back, CallSite site)
    {
        Frame caller = warp.Frame;
        byte* r = caller.R + Round(caller.Function.WordBytes);
        byte* d = caller.D + Round(caller.Function.DoubleBytes);
        uint* p = caller.P + (Round(4 * caller.Function.Predicates) / 4);
        int local = caller.Local + ((caller.Function.LocalBytes + 15) & ~15);
        FrameMemory memory = _frames[warp.Index];
        return
            r + function.WordBytes > (byte*)memory.D
            || d + function.DoubleBytes > (byte*)memory.P
            || (byte*)(p + function.Predicates) > memory.End
            || local + function.LocalBytes > warp.Local.Bytes
            ? null
            : new Frame(function, caller, back, site) { R = r, D = d, P = p, Local = local };
    }

    public void Dispose()
    {
        foreach (Warp warp in Warps)
        {
            warp.Local.Free();
        }

        RegionShadow.Free(Shared);
        NativeMemory.Free(Shared->InFlight);
        NativeMemory.AlignedFree(_shared);
        NativeMemory.Free(Shared);
        NativeMemory.AlignedFree(_addresses);
        NativeMemory.AlignedFree(_registers);
    }

    private static int Round(int bytes) => (bytes + 255) & ~255;

    /// <summary>
    /// Fills the slots of constants, parameters and special registers: at first (-1) those that are the same for all blocks, then for each block the
    /// rest.
    /// </summary>
    private void FillPresets(long number)
    {
        foreach (Preset preset in Launch.Code.Entry.Presets)
        {
            bool special = preset.Kind == PresetKind.Special;
            if ((special && SpecialRegisters.DependsOnBlock((int)preset.Value)) != number >= 0)
            {
                continue;
            }

            if (special && SpecialRegisters.DependsOnThread((int)preset.Value))
            {
                for (int w = 0; w < Warps.Length; w++)
                {
                    Fill(preset, w, _frames[w].R, _frames[w].D, _frames[w].P, uint.MaxValue);
                }

                continue;
            }

            ulong value =
                special ? SpecialRegisters.Value((int)preset.Value, PlaceOf(0, 0))
                : preset.Kind == PresetKind.Parameter ? *(ulong*)(Launch.Parameters + preset.Value)
                : preset.Value;
            foreach (FrameMemory frame in _frames)
            {
                switch (preset.Bank)
                {
                    case Bank.Word:
                        new Span<uint>(frame.R + preset.Offset, 32).Fill((uint)value);
                        break;
                    case Bank.Double:
                        new Span<ulong>(frame.D + preset.Offset, 32).Fill(value);
                        break;
                    default:
                        frame.P[preset.Offset] = value != 0 ? uint.MaxValue : 0;
                        break;
                }
            }
        }
    }

    /// <summary>Fills one preset slot of a frame for some lanes.</summary>
    public void Fill(in Preset preset, int warp, byte* r, byte* d, uint* p, uint lanes)
    {
        ulong value = preset.Kind == PresetKind.Parameter ? *(ulong*)(Launch.Parameters + preset.Value) : preset.Value;
        for (int lane = 0; lane < 32; lane++)
        {
            if ((lanes >> lane & 1) == 0)
            {
                continue;
            }

            if (preset.Kind == PresetKind.Special)
            {
                value = SpecialRegisters.Value((int)preset.Value, PlaceOf(warp, lane));
            }

            switch (preset.Bank)
            {
                case Bank.Word:
                    ((uint*)(r + preset.Offset))[lane] = (uint)value;
                    break;
                case Bank.Double:
                    ((ulong*)(d + preset.Offset))[lane] = value;
                    break;
                default:
                    p[preset.Offset] = value != 0 ? p[preset.Offset] | (1u << lane) : p[preset.Offset] & ~(1u << lane);
                    break;
            }
        }
    }

    /// <summary>What special registers tell a lane.</summary>
    public ThreadPlace PlaceOf(int warp, int lane) =>
        new(
            ViolationReport.ThreadOf(Launch, (warp * 32) + lane),
            Index,
            Launch.BlockSize,
            Launch.GridSize,
            (uint)lane,
            (uint)warp,
            (uint)Warps.Length,
            (uint)(Number % Launch.Multiprocessors),
            (uint)Launch.Multiprocessors,
            (uint)Launch.DynamicShared,
            (uint)Launch.SharedBytes,
            Launch.Number
        );

    /// <summary>The register banks of a warp.</summary>
    private readonly struct FrameMemory(byte* r, byte* d, byte* p, nuint bytes)
    {
        public readonly byte* R = r;
        public readonly byte* D = d;
        public readonly uint* P = (uint*)p;
        public readonly byte* End = r + bytes;
    }
}
