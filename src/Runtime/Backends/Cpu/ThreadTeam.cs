using System.Runtime.InteropServices;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>
/// A fixed team of threads that runs one data-parallel loop at a time, without allocation. Ranges are static and contiguous, so the
/// same worker meets the same rows in consecutive operations and finds them in its own cache. The result of a loop must not depend
/// on the number of workers: bodies write disjoint outputs and reduce in an order that the range split does not change.
/// </summary>
internal sealed unsafe class ThreadTeam : IDisposable
{
    /// <summary>About one and a half milliseconds: longer than any gap between the operations of a step.</summary>
    private const int SpinsBeforePark = 40_000;

    /// <summary>About a tenth of a millisecond, after which the worker's core is probably held by another process.</summary>
    private const int SpinsBeforeYield = 3_000;

    private readonly Thread[] _threads;
    private readonly SemaphoreSlim[] _wake;
    private readonly int[] _parked;
    private readonly nint[] _scratch;
    private readonly nuint[] _scratchBytes;
    private nint _shared;
    private nuint _sharedBytes;
    private delegate*<void*, int, int, int, void> _body;
    private void* _state;
    private int _items;
    private int _workers;
    private Counters _counters;
    private volatile bool _stop;
    private Exception? _error;

    /// <summary>A team of <paramref name="threads"/> workers; the caller of <see cref="For"/> is worker 0.</summary>
    public ThreadTeam(int threads)
    {
        Count = Math.Max(1, threads);
        _scratch = new nint[Count];
        _scratchBytes = new nuint[Count];
        _wake = new SemaphoreSlim[Count];
        _parked = new int[Count];
        _threads = new Thread[Count];
        for (int i = 1; i < Count; i++)
        {
            int worker = i;
            _wake[i] = new SemaphoreSlim(0);
            _threads[i] = new Thread(() => Work(worker)) { IsBackground = true, Name = $"cogrpo worker {worker}" };
            _threads[i].Start();
        }
    }

    /// <summary>Number of workers.</summary>
    public int Count { get; }

    /// <summary>
    /// Runs body(state, start, end, worker) so that the ranges cover [0, items). Fewer than <paramref name="grain"/> items per worker
    /// use fewer workers. Returns when all are done; an exception of any worker is rethrown here.
    /// </summary>
    public void For(int items, delegate*<void*, int, int, int, void> body, void* state, int grain = 1)
    {
        if (items <= 0)
        {
            return;
        }

        int workers = Math.Min(Count, Math.Max(1, items / Math.Max(1, grain)));
        if (workers == 1)
        {
            body(state, 0, items, 0);
            return;
        }

        _error = null;
        _body = body;
        _state = state;
        _items = items;
        _workers = workers;
        Volatile.Write(ref _counters.Running, Count - 1);
        Interlocked.Increment(ref _counters.Generation);
        for (int i = 1; i < Count; i++)
        {
            if (Volatile.Read(ref _parked[i]) != 0)
            {
                _wake[i].Release();
            }
        }

        try
        {
            RunRange(0);
        }
        finally
        {
            int spins = 0;
            while (Volatile.Read(ref _counters.Running) != 0)
            {
                // One pause per look: the end of the loop is seen within some tens of nanoseconds.
                if (++spins < SpinsBeforeYield)
                {
                    Thread.SpinWait(1);
                }
                else
                {
                    Thread.Yield();
                }
            }
        }

        if (_error is { } error)
        {
            _error = null;
            throw new InvalidOperationException("a worker thread failed", error);
        }
    }

    /// <summary>
    /// At least <paramref name="bytes"/> of 64-byte aligned memory that belongs to <paramref name="worker"/> until its next request.
    /// </summary>
    public void* Scratch(int worker, nuint bytes)
    {
        if (_scratchBytes[worker] < bytes)
        {
            // Forgotten before the new request, which may fail: freed memory must never be handed out or freed again.
            nuint size = Math.Max(bytes, _scratchBytes[worker] + (_scratchBytes[worker] / 2));
            NativeMemory.AlignedFree((void*)_scratch[worker]);
            (_scratch[worker], _scratchBytes[worker]) = (0, 0);
            _scratch[worker] = (nint)NativeMemory.AlignedAlloc(size, 64);
            _scratchBytes[worker] = size;
        }

        return (void*)_scratch[worker];
    }

    /// <summary>
    /// At least <paramref name="bytes"/> of 64-byte aligned memory for all workers, for the caller of <see cref="For"/> until its next request.
    /// </summary>
    public void* SharedScratch(nuint bytes)
    {
        if (_sharedBytes < bytes)
        {
            NativeMemory.AlignedFree((void*)_shared);
            (_shared, _sharedBytes) = (0, 0);
            _shared = (nint)NativeMemory.AlignedAlloc(bytes, 64);
            _sharedBytes = bytes;
        }

        return (void*)_shared;
    }

    /// <summary>Stops the threads and frees their scratch memory.</summary>
    public void Dispose()
    {
        _stop = true;
        for (int i = 1; i < Count; i++)
        {
            _wake[i].Release();
            _threads[i].Join();
            _wake[i].Dispose();
        }

        for (int i = 0; i < Count; i++)
        {
            NativeMemory.AlignedFree((void*)_scratch[i]);
            (_scratch[i], _scratchBytes[i]) = (0, 0);
        }

        NativeMemory.AlignedFree((void*)_shared);
        (_shared, _sharedBytes) = (0, 0);
    }

    private void RunRange(int worker)
    {
        if (worker < _workers)
        {
            int start = (int)((long)_items * worker / _workers);
            int end = (int)((long)_items * (worker + 1) / _workers);
            if (start < end)
            {
                _body(_state, start, end, worker);
            }
        }
    }

    private void Work(int worker)
    {
        int seen = 0;
        while (true)
        {
            int spins = 0;
            while (Volatile.Read(ref _counters.Generation) == seen && !_stop)
            {
                if (++spins < SpinsBeforePark)
                {
                    Thread.SpinWait(1);
                    continue;
                }

                Volatile.Write(ref _parked[worker], 1);
                Interlocked.MemoryBarrier();
                if (Volatile.Read(ref _counters.Generation) == seen && !_stop)
                {
                    _wake[worker].Wait();
                }

                Volatile.Write(ref _parked[worker], 0);
                spins = 0;
            }

            if (_stop)
            {
                return;
            }

            seen = Volatile.Read(ref _counters.Generation);
            try
            {
                RunRange(worker);
            }
            catch (Exception error)
            {
                _error = error;
            }

            Interlocked.Decrement(ref _counters.Running);
        }
    }

    /// <summary>The two words that threads watch, each on cache lines of its own so that finishing workers do not disturb waiting ones.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 384)]
    private struct Counters
    {
        [FieldOffset(128)]
        public int Generation;

        [FieldOffset(256)]
        public int Running;
    }
}
