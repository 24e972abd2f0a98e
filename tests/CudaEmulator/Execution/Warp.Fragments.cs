using System.Numerics;
using CoGrpo.CudaEmulator.Compilation;

namespace CoGrpo.CudaEmulator.Execution;

/// <summary>
/// Lanes that separated. The fragment that is furthest behind in the code (deepest in calls first) runs, so that lanes meet again where
/// their paths join. When that does not end within a turn the others get turns too, so that lanes may wait for each other.
/// </summary>
internal sealed unsafe partial class Warp
{
    private const long FragmentTurn = 4096;

    private readonly List<Fragment> _others = [];
    private long _turn;
    private bool _fair;

    /// <summary>Whether lanes are apart.</summary>
    public bool IsSplit => _others.Count > 0;

    /// <summary>Lanes of the fragments that wait, with the instruction they wait at.</summary>
    public IEnumerable<(uint Lanes, nint At)> Waiting => _others.Select(f => (f.Lanes, (nint)f.Pc));

    /// <summary>Sends <paramref name="taken"/> to one place and the other active lanes to another; returns where to go on.</summary>
    public Instr* Diverge(uint taken, Instr* target, Instr* next)
    {
        Counters->DivergentBranches++;
        uint rest = Active & ~taken;

        // Lanes that only go to end do so now: the others then run with nothing to keep for them.
        if (Frame.Depth == 0 && IsExit(target))
        {
            End(taken);
            SetActive(rest);
            return next;
        }

        if (Frame.Depth == 0 && IsExit(next))
        {
            End(rest);
            SetActive(taken);
            return target;
        }

        _others.Add(new Fragment(taken, target, Frame, _turn));
        _others.Add(new Fragment(rest, next, Frame, _turn));
        return Pick(target);
    }

    /// <summary>As <see cref="Diverge(uint, Instr*, Instr*)"/>, for a table of targets.</summary>
    public Instr* Diverge(IReadOnlyList<(uint Lanes, nint Target)> ways)
    {
        Counters->DivergentBranches++;
        foreach ((uint lanes, nint target) in ways)
        {
            _others.Add(new Fragment(lanes, (Instr*)target, Frame, _turn));
        }

        return Pick((Instr*)ways[0].Target);
    }

    /// <summary>Leaves all but <paramref name="lanes"/> waiting to execute the instruction again.</summary>
    public void Split(uint lanes, Instr* at)
    {
        _others.Add(new Fragment(Active & ~lanes, at, Frame, _turn));
        SetActive(lanes);
    }

    /// <summary>The running lanes change to another frame: a call or a return.</summary>
    public void EnterFrame(Frame frame)
    {
        SetFrame(frame);
        UpdateStop();
    }

    /// <summary>Called at the head of a block where others wait, or before which they do.</summary>
    public Instr* Reschedule(Instr* at)
    {
        _others.Add(new Fragment(Active, at, Frame, _turn));
        return Pick(at);
    }

    /// <summary>Ends lanes: the running ones, or part of them.</summary>
    public void End(uint lanes)
    {
        Dead |= lanes;
    }

    /// <summary>Ends the running lanes and goes on with others, or ends the warp.</summary>
    public Instr* EndActive(Instr* at)
    {
        End(Active);
        return _others.Count > 0 ? Pick(at) : Leave(at, WarpStatus.Done);
    }

    /// <summary>
    /// The running lanes wait at <paramref name="at"/> for other lanes of the warp; these run first. When lanes have come together at the
    /// instruction, or others have ended, it is executed again. Null with a reason when nobody can come any more.
    /// </summary>
    public Instr* AwaitLanes(Instr* at, uint wanted, string what)
    {
        Fragment self = new(Active, at, Frame, _turn) { IsWaiting = true, TriedLanes = Active, TriedDead = Dead, Wanted = wanted, What = what };
        _others.Add(self);
        return Pick(at);
    }

    /// <summary>
    /// Lets lanes that wait at instructions of the same kind with the same wanted lanes go on, if together they are all; null if they are not.
    /// </summary>
    public Instr* Release(Instr* at, uint wanted, string what)
    {
        uint here = Active;
        foreach (Fragment other in _others)
        {
            if (other.IsWaiting && other.Wanted == wanted && other.What == what)
            {
                here |= other.Lanes;
            }
        }

        if ((wanted & ~(here | Dead)) != 0)
        {
            return null;
        }

        foreach (Fragment other in _others.Where(o => o.IsWaiting && o.Wanted == wanted && o.What == what))
        {
            other.IsWaiting = false;
            other.Pc++;
        }

        UpdateStop();
        return at + 1;
    }

    /// <summary>The turn is over: others may run, first the other fragments of this warp in their order.</summary>
    public Instr* EndTurn(Instr* at)
    {
        Status = WarpStatus.Ready;
        Resume = at;
        if (_others.Count > 0)
        {
            _fair = !_fair;
            _turn++;
            Fragment self = new(Active, at, Frame, _turn);
            _others.Add(self);
            Resume = _fair ? PickOldest() : Pick(at);
        }

        return null;
    }

    /// <summary>Length of a turn: short while lanes are apart, as one may be waiting for another.</summary>
    public long TurnLength(long whole) => _others.Count > 0 ? Math.Min(whole, FragmentTurn) : whole;

    private static bool IsExit(Instr* block) => block->Flags == ControlFlags.ExitBlock;

    private Instr* Pick(Instr* from)
    {
        Fragment? best = Best();
        if (best is null)
        {
            Retry(from);
            best = Best();
            if (best is null)
            {
                if (_others.Count == 0)
                {
                    return Leave(from, WarpStatus.Done);
                }

                throw Stuck();
            }
        }

        _others.Remove(best);
        uint lanes = best.Lanes;
        for (int i = _others.Count - 1; i >= 0; i--)
        {
            Fragment other = _others[i];
            if (other.Pc == best.Pc && !other.IsWaiting && Frame.Same(other.Frame, best.Frame))
            {
                lanes |= other.Lanes;
                _others.RemoveAt(i);
            }
        }

        Enter(best, lanes);
        UpdateStop();
        return best.Pc;
    }

    private Instr* PickOldest()
    {
        Fragment? oldest = null;
        foreach (Fragment other in _others)
        {
            if (!other.IsWaiting && (oldest is null || other.Turn < oldest.Turn))
            {
                oldest = other;
            }
        }

        _others.Remove(oldest!);
        Enter(oldest!, oldest!.Lanes);
        Stop = (Instr*)nuint.MaxValue;
        return oldest.Pc;
    }

    private void Enter(Fragment fragment, uint lanes)
    {
        SetFrame(fragment.Frame);
        SetActive(lanes);
        if (Budget > FragmentTurn)
        {
            // What is cut off was not executed.
            Executed -= Budget - FragmentTurn;
            Budget = FragmentTurn;
        }
    }

    private Fragment? Best()
    {
        Fragment? best = null;
        foreach (Fragment other in _others)
        {
            if (
                !other.IsWaiting
                && (best is null || other.Frame.Depth > best.Frame.Depth || (other.Frame.Depth == best.Frame.Depth && other.Pc < best.Pc))
            )
            {
                best = other;
            }
        }

        return best;
    }

    /// <summary>Lets lanes that wait try again where more have come to the same place, or some of those they wait for have ended.</summary>
    private void Retry(Instr* from)
    {
        for (int i = 0; i < _others.Count; i++)
        {
            for (int j = _others.Count - 1; j > i; j--)
            {
                if (_others[i].Pc == _others[j].Pc && Frame.Same(_others[i].Frame, _others[j].Frame))
                {
                    _others[i].Lanes |= _others[j].Lanes;
                    _others.RemoveAt(j);
                }
            }
        }

        foreach (Fragment other in _others)
        {
            if (other.TriedLanes != other.Lanes || other.TriedDead != Dead)
            {
                other.IsWaiting = false;
            }
        }
    }

    private void UpdateStop()
    {
        Stop = (Instr*)nuint.MaxValue;
        foreach (Fragment other in _others)
        {
            if (!other.IsWaiting && other.Frame.Depth == Frame.Depth && other.Pc < Stop)
            {
                Stop = other.Pc;
            }
        }
    }

    private Checks.ViolationException Stuck()
    {
        Fragment first = _others[0];
        Frame = first.Frame;
        bool barrier = _others.Any(o => o.What == BarrierWait);
        string all = string.Join("; ", _others.Select(o =>
            $"{BitOperations.PopCount(o.Lanes)} lanes (0x{o.Lanes:x8}) at {o.What} at {Launch.Code.PlaceOf(o.Pc)}, which needs lanes 0x{o.Wanted & ~Dead:x8}"));
        Fragment blamed = _others.FirstOrDefault(o => o.What == BarrierWait) ?? first;
        return Fail(barrier ? ViolationKind.DivergentBarrier : ViolationKind.DivergentWarp, blamed.Pc, FirstLane(blamed.Lanes),
            _others.Count > 1 ? $"lanes of one warp wait at different places: {all}" : $"lanes wait for others that do not come: {all}");
    }

    /// <summary>What a fragment that waits at a block-wide barrier waits for.</summary>
    public const string BarrierWait = "a barrier of the block";

    private sealed class Fragment(uint lanes, Instr* pc, Frame frame, long turn)
    {
        public uint Lanes = lanes;
        public Instr* Pc = pc;

        public Frame Frame { get; } = frame;

        public long Turn { get; } = turn;

        public bool IsWaiting { get; set; }

        public uint TriedLanes { get; init; }

        public uint TriedDead { get; init; }

        public uint Wanted { get; init; }

        public string What { get; init; } = "";
    }
}
