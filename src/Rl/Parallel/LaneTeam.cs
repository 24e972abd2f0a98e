using System.Runtime.ExceptionServices;

namespace CoGrpo.Rl.Parallel;

/// <summary>
/// Runs the same work on a fixed number of lanes at once, one thread each. A lane is a replica of the networks with its own backend, tape and
/// gradients that processes whole micro-batches, so lanes meet once per batch and not once per operation: no time is lost when another
/// process takes a core. What a lane computes depends on its number only, never on timing.
/// </summary>
public sealed class LaneTeam : IDisposable
{
    private readonly Thread[] _threads;
    private readonly SemaphoreSlim[] _start;
    private readonly CountdownEvent _done;
    private readonly ExceptionDispatchInfo?[] _errors;
    private Action<int>? _body;
    private volatile bool _stop;

    /// <summary>A team of <paramref name="lanes"/> lanes; the caller of <see cref="Run"/> is lane 0.</summary>
    public LaneTeam(int lanes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(lanes);
        Count = lanes;
        _errors = new ExceptionDispatchInfo?[lanes];
        _done = new CountdownEvent(1);
        _start = new SemaphoreSlim[lanes];
        _threads = new Thread[lanes];
        for (int i = 1; i < lanes; i++)
        {
            int lane = i;
            _start[i] = new SemaphoreSlim(0);
            _threads[i] = new Thread(() => Work(lane)) { IsBackground = true, Name = $"cogrpo lane {lane}" };
            _threads[i].Start();
        }
    }

    /// <summary>Number of lanes.</summary>
    public int Count { get; }

    /// <summary>
    /// Calls <paramref name="body"/> once per lane number, all at once, and returns when all are done. The first error by lane number is rethrown.
    /// </summary>
    public void Run(Action<int> body)
    {
        _body = body;
        _done.Reset(Count);
        for (int i = 1; i < Count; i++)
        {
            _start[i].Release();
        }

        RunLane(0);
        _done.Wait();
        for (int i = 0; i < Count; i++)
        {
            if (_errors[i] is { } error)
            {
                Array.Clear(_errors);
                error.Throw();
            }
        }
    }

    /// <summary>Ends the threads.</summary>
    public void Dispose()
    {
        _stop = true;
        for (int i = 1; i < Count; i++)
        {
            _start[i].Release();
            _threads[i].Join();
            _start[i].Dispose();
        }

        _done.Dispose();
    }

    private void Work(int lane)
    {
        while (true)
        {
            _start[lane].Wait();
            if (_stop)
            {
                return;
            }

            RunLane(lane);
        }
    }

    private void RunLane(int lane)
    {
        try
        {
            _body!(lane);
        }
        catch (Exception error)
        {
            _errors[lane] = ExceptionDispatchInfo.Capture(error);
        }
        finally
        {
            _done.Signal();
        }
    }
}
