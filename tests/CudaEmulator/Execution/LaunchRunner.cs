using System.Diagnostics;
using System.Runtime.ExceptionServices;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Memory;

namespace CoGrpo.CudaEmulator.Execution;

/// <summary>Runs a launch on this thread and helpers of the thread pool, and makes its report.</summary>
internal static unsafe class LaunchRunner
{
    /// <summary>
    /// Launches of up to this many warps run on one thread: helpers would come too late, and small tests find the same fault every time.
    /// </summary>
    private const long SmallLaunch = 64;

    /// <summary>Runs to the end or to the first violation, which <see cref="Launch.Violation"/> then holds.</summary>
    public static LaunchReport Run(Launch launch)
    {
        var clock = Stopwatch.StartNew();
        if (launch.Options.CountUniqueSectors)
        {
            launch.Memory.ClearSectors();
        }

        long blocks = launch.GridSize.Count;
        int workers = blocks * launch.WarpsPerBlock <= SmallLaunch ? 1 : (int)Math.Min(Math.Max(1, launch.Options.Workers), blocks);
        long most = Math.Max(1, (launch.ResidentBlocks + workers - 1) / workers);
        Helper[] helpers = [.. Enumerable.Range(0, workers).Select(_ => new Helper(new Worker(launch), most))];
        try
        {
            foreach (Helper helper in helpers.Skip(1))
            {
                ThreadPool.UnsafeQueueUserWorkItem(helper, preferLocal: false);
            }

            helpers[0].Execute();
            foreach (Helper helper in helpers)
            {
                helper.Finish();
            }

            return Report(launch, helpers, clock.Elapsed);
        }
        finally
        {
            foreach (Helper helper in helpers)
            {
                helper.Worker.Dispose();
            }
        }
    }

    private static LaunchReport Report(Launch launch, Helper[] helpers, TimeSpan elapsed)
    {
        KernelCode code = launch.Code;
        RawCounters total = default;
        long warpInstructions = 0;
        long threadInstructions = 0;
        long[] mix = new long[Enum.GetValues<InstructionClass>().Length];
        Dictionary<string, RawCounters> lines = new(StringComparer.Ordinal);
        Dictionary<string, long> executions = new(StringComparer.Ordinal);
        foreach (Helper helper in helpers)
        {
            Add(ref total, *helper.Worker.Counters);
            for (int b = 0; b < code.Mix.Length; b++)
            {
                long warps = helper.Worker.BlockCounts[2 * b];
                int count = 0;
                for (int c = 0; c < mix.Length; c++)
                {
                    mix[c] += warps * code.Mix[b][c];
                    count += code.Mix[b][c];
                }

                warpInstructions += warps * count;
                threadInstructions += helper.Worker.BlockCounts[(2 * b) + 1] * count;
            }

            for (int i = 0; helper.Worker.Lines != null && i < code.Count; i++)
            {
                LineCounter counter = helper.Worker.Lines[i];
                if (counter.Executions > 0)
                {
                    Ptx.SourceLine? source = code.Origins[i]?.Source;
                    string key = source is null ? "unknown" : $"{code.Module.FileName(source.File)}:{source.Line}";
                    RawCounters sum = lines.GetValueOrDefault(key);
                    Add(ref sum, counter.Counters);
                    lines[key] = sum;
                    executions[key] = executions.GetValueOrDefault(key) + counter.Executions;
                }
            }
        }

        (long read, long written) = launch.Options.CountUniqueSectors ? launch.Memory.CountSectors() : (0, 0);
        return new LaunchReport
        {
            Kernel = code.Name, Grid = launch.GridSize, Block = launch.BlockSize, SharedBytes = launch.SharedBytes, Elapsed = elapsed,
            Counters = Public(total, warpInstructions, threadInstructions), UniqueSectorsRead = read, UniqueSectorsWritten = written,
            Mix = mix.Select((count, c) => ((InstructionClass)c, count)).ToDictionary(pair => pair.Item1, pair => pair.count),
            Lines = lines.ToDictionary(entry => entry.Key, entry => Public(entry.Value, executions[entry.Key], 0), StringComparer.Ordinal),
        };
    }

    private static void Add(ref RawCounters sum, in RawCounters part)
    {
        fixed (RawCounters* a = &sum, b = &part)
        {
            for (int i = 0; i < sizeof(RawCounters) / sizeof(long); i++)
            {
                ((long*)a)[i] += ((long*)b)[i];
            }
        }
    }

    private static LaunchCounters Public(in RawCounters raw, long warpInstructions, long threadInstructions) =>
        new()
        {
            WarpInstructions = warpInstructions,
            ThreadInstructions = threadInstructions,
            GlobalSectorsRead = raw.GlobalSectorsRead,
            GlobalSectorsWritten = raw.GlobalSectorsWritten,
            IdealSectorsRead = raw.IdealSectorsRead,
            IdealSectorsWritten = raw.IdealSectorsWritten,
            GlobalBytesRead = raw.GlobalBytesRead,
            GlobalBytesWritten = raw.GlobalBytesWritten,
            GlobalRequests = raw.GlobalRequests,
            SharedBytesRead = raw.SharedBytesRead,
            SharedBytesWritten = raw.SharedBytesWritten,
            SharedWavefronts = raw.SharedWavefronts,
            BankConflicts = raw.BankConflicts,
            LocalAccesses = raw.LocalAccesses,
            DivergentBranches = raw.DivergentBranches,
            Atomics = raw.Atomics,
            TensorOperations = raw.TensorOperations,
            TensorFlops = raw.TensorFlops,
            Barriers = raw.Barriers,
            AsyncCopyBytes = raw.AsyncCopyBytes,
        };

    /// <summary>A worker that may or may not get a thread before the work is done.</summary>
    private sealed class Helper(Worker worker, long most) : IThreadPoolWorkItem
    {
        private readonly ManualResetEventSlim _done = new();
        private int _state;
        private ExceptionDispatchInfo? _error;

        public Worker Worker { get; } = worker;

        public void Execute()
        {
            if (Interlocked.CompareExchange(ref _state, 1, 0) != 0)
            {
                return;
            }

            try
            {
                Worker.Run(most);
            }
            catch (Exception error)
            {
                _error = ExceptionDispatchInfo.Capture(error);
            }

            _done.Set();
        }

        /// <summary>Waits for the worker if it has started, else keeps it from starting.</summary>
        public void Finish()
        {
            if (Interlocked.CompareExchange(ref _state, 2, 0) != 0)
            {
                _done.Wait();
            }

            _error?.Throw();
        }
    }
}

/// <summary>Counters of one instruction.</summary>
internal struct LineCounter
{
    public RawCounters Counters;
    public long Executions;
}
