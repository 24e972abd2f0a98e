using System.Runtime.InteropServices;
using CoGrpo.CudaEmulator.Checks;
using CoGrpo.CudaEmulator.Memory;

namespace CoGrpo.CudaEmulator.Execution;

/// <summary>
/// One thread's part of a launch: takes blocks and runs them. A block that waits for others gives way: the worker starts further blocks beside
/// it, up to as many as a device would hold, and returns to it in turn.
/// </summary>
internal sealed unsafe class Worker : IDisposable
{
    private const int ScratchBytes = 16 << 10;

    private readonly Launch _launch;
    private readonly List<Block> _idle = [];
    private readonly List<Block> _all = [];

    public Worker(Launch launch)
    {
        _launch = launch;
        int blocks = launch.Code.Mix.Length;
        Counters = (RawCounters*)NativeMemory.AllocZeroed((nuint)sizeof(RawCounters));
        BlockCounts = (long*)NativeMemory.AllocZeroed((nuint)blocks * 2, sizeof(long));
        Cache = (Region**)NativeMemory.AllocZeroed((nuint)launch.Code.CacheEntries + 1, (nuint)sizeof(Region*));
        Scratch = (byte*)NativeMemory.AlignedAlloc(ScratchBytes, 64);
        Sets = (SmallSet*)NativeMemory.AllocZeroed(2, (nuint)sizeof(SmallSet));
        if (launch.Code.Handlers is not null)
        {
            Lines = (LineCounter*)NativeMemory.AllocZeroed((nuint)launch.Code.Count, (nuint)sizeof(LineCounter));
        }
    }

    public RawCounters* Counters { get; }

    public long* BlockCounts { get; }

    public Region** Cache { get; }

    public byte* Scratch { get; }

    public SmallSet* Sets { get; }

    /// <summary>Counters of each instruction of the code, for launches in which they are kept; else null.</summary>
    public LineCounter* Lines { get; }

    /// <summary>Runs blocks until none is left or the launch is stopped.</summary>
    /// <param name="most">Most blocks under way at once.</param>
    public void Run(long most)
    {
        Queue<Block> open = new();
        bool more = true;
        int idle = 0;
        try
        {
            while (!_launch.IsStopped)
            {
                if (more && (open.Count == 0 || (idle >= open.Count && open.Count < most)))
                {
                    more = _launch.TryTake(out long number);
                    if (more)
                    {
                        Block started = Rent();
                        started.Start(number);
                        open.Enqueue(started);
                        idle = 0;
                    }
                }

                if (!open.TryDequeue(out Block? block))
                {
                    return;
                }

                if (block.Run())
                {
                    _idle.Add(block);
                    idle = 0;
                    continue;
                }

                open.Enqueue(block);
                if (++idle > open.Count && (!more || open.Count >= most))
                {
                    // All of them wait, perhaps for a block of another worker.
                    Thread.Yield();
                }
            }
        }
        catch (ViolationException error)
        {
            _launch.Stop(error.Violation);
        }
    }

    public void Dispose()
    {
        foreach (Block block in _all)
        {
            block.Dispose();
        }

        NativeMemory.AlignedFree(Scratch);
        NativeMemory.Free(Sets);
        NativeMemory.Free(Lines);
        NativeMemory.Free(Counters);
        NativeMemory.Free(BlockCounts);
        NativeMemory.Free(Cache);
    }

    private Block Rent()
    {
        if (_idle.Count > 0)
        {
            Block block = _idle[^1];
            _idle.RemoveAt(_idle.Count - 1);
            return block;
        }

        Block made = new(_launch, this);
        _all.Add(made);
        return made;
    }
}
