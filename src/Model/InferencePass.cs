using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Backends.Plan;

namespace CoGrpo.Model;

/// <summary>
/// Runs forward passes without recording in work memory that fits the largest of them exactly: each pass goes over a backend that executes nothing
/// first, which tells how much it takes. What a pass returns is valid until the next. Driven by the thread that drives the backend.
/// </summary>
internal sealed class InferencePass : IDisposable
{
    // More than any pass takes, so that the measuring arena has one block, as the real one has.
    private const long Unbounded = 1L << 50;

    private readonly IBackend _backend;
    private readonly string _name;
    private readonly ElementType _storage;
    private Arena? _arena;
    private Tape? _tape;

    /// <param name="backend">Where passes run.</param>
    /// <param name="name">Name of the memory in reports.</param>
    /// <param name="storage">Element type of the network.</param>
    public InferencePass(IBackend backend, string name, ElementType storage) => (_backend, _name, _storage) = (backend, name, storage);

    /// <summary>Bytes of work memory held.</summary>
    public long ReservedBytes => _arena?.ReservedBytes ?? 0;

    /// <summary>Runs <paramref name="pass"/>, which takes all it needs from its tape and decides nothing by values on the device.</summary>
    public Tensor Run(Func<Tape, Tensor> pass)
    {
        long needed = Measure(pass);
        if (ReservedBytes < needed)
        {
            Release();
            _arena = _backend.CreateArena(_name, needed);

            // The first tensor of an arena decides the size of its block if it is large.
            _arena.Allocate(new Shape(1));
            _tape = new Tape(_backend, _arena, _arena);
        }

        _arena!.Release(default);
        _tape!.Begin(recording: false, _storage);
        return pass(_tape);
    }

    /// <summary>Gives the work memory back; the next pass takes it again.</summary>
    public void Release()
    {
        _arena?.Dispose();
        (_arena, _tape) = (null, null);
    }

    /// <summary>Frees the work memory.</summary>
    public void Dispose() => Release();

    private long Measure(Func<Tape, Tensor> pass)
    {
        using PlanBackend plan = new(_storage);
        using Arena arena = plan.CreateArena(_name, Unbounded);
        var tape = new Tape(plan, arena, arena);
        tape.Begin(recording: false, _storage);
        pass(tape);
        return arena.PeakBytes;
    }
}
