using CoGrpo.Runtime.Backends;

namespace CoGrpo.Runtime.Autograd;

/// <summary>
/// A manual autograd tape: operations run at once on the backend and, while <see cref="Recording"/>, leave a record that
/// <see cref="Backward()"/> replays in reverse through <see cref="GradientRules"/>. Values come from the activations arena, activation
/// gradients from the gradients arena; the owner marks and releases both around a pass. Records are structs in arrays that keep their
/// size, so a pass allocates nothing once warm.
/// </summary>
/// <remarks>
/// Without recording, <see cref="GateResidual"/> and <see cref="ResidualLinear"/> update the residual in place; a network written for
/// the tape therefore runs inference with a fixed amount of memory when it releases its temporaries (<see cref="Scope"/>).
/// </remarks>
public sealed partial class Tape
{
    private const int WholeReshaped = -1;
    private const byte NoGradient = 0;
    private const byte Wanted = 1;
    private const byte Present = 2;

    private readonly List<ITapeSegment> _segments = [];
    private TapeRecord[] _records = new TapeRecord[256];
    private int _recordCount;
    private Tensor[] _values = new Tensor[1024];
    private Tensor[] _gradients = new Tensor[1024];
    private byte[] _states = new byte[1024];
    private int[] _parents = new int[1024];
    private int[] _firstColumns = new int[1024];
    private ElementType[] _gradientTypes = new ElementType[1024];
    private int _varCount = 1;

    /// <summary>A tape over <paramref name="backend"/>; the arenas stay the caller's.</summary>
    public Tape(IBackend backend, Arena activations, Arena gradients)
    {
        Backend = backend;
        Activations = activations;
        GradientArena = gradients;
    }

    /// <summary>Where operations run.</summary>
    public IBackend Backend { get; }

    /// <summary>Memory of values.</summary>
    public Arena Activations { get; }

    /// <summary>Memory of activation gradients.</summary>
    public Arena GradientArena { get; }

    /// <summary>Whether operations leave records for <see cref="Backward()"/>.</summary>
    public bool Recording { get; private set; }

    /// <summary>Element type of the values and activation gradients of the pass.</summary>
    public ElementType Storage { get; private set; }

    /// <summary>Forgets all values and records and starts a pass. Arena memory is the owner's to release.</summary>
    /// <param name="recording">Whether a backward pass follows.</param>
    /// <param name="storage">Element type of the values, that of the networks the pass runs.</param>
    public void Begin(bool recording, ElementType storage = ElementType.Float32)
    {
        _recordCount = 0;
        _varCount = 1;
        _segments.Clear();
        Recording = recording;
        Storage = storage;
    }

    /// <summary>A value without gradient.</summary>
    public Var Constant(Tensor value) => NewVar(value, NoGradient);

    /// <summary>A value whose gradient is wanted, available from <see cref="Gradient"/> after the backward pass.</summary>
    public Var Input(Tensor value) => NewVar(value, Recording ? Wanted : NoGradient);

    /// <summary>A parameter, under another shape of the same count if given; its gradient accumulates in the store unless it is frozen.</summary>
    public Var Parameter(Parameter parameter, Shape shape = default)
    {
        bool trains = Recording && !parameter.Gradient.IsNone;
        Var v = NewVar(shape.Rank == 0 ? parameter.Compute : parameter.Compute.Reshape(shape), trains ? Present : NoGradient);
        if (trains)
        {
            _gradients[v.Id] = shape.Rank == 0 ? parameter.Gradient : parameter.Gradient.Reshape(shape);
        }

        return v;
    }

    /// <summary>An uninitialised value that later operations write through an <c>into</c> argument.</summary>
    public Var Buffer(Shape shape) => Buffer(shape, Storage);

    /// <summary>As <see cref="Buffer(Shape)"/> in another element type than the pass's: fp32 for logits.</summary>
    public Var Buffer(Shape shape, ElementType type) => NewVar(Activations.Allocate(shape, type), Recording ? Wanted : NoGradient);

    /// <summary>The result of an operation on rows that treats each by itself: as many of its rows are live as of <paramref name="x"/>'s.</summary>
    private Var RowBuffer(Shape shape, Tensor x, ElementType type)
    {
        Tensor value = Activations.Allocate(shape, type);
        return NewVar(new Tensor(value.Address, shape, type, liveRows: x.LiveRows), Recording ? Wanted : NoGradient);
    }

    /// <summary>Columns [first, first + count) of <paramref name="x"/>: shares values and gradient with it.</summary>
    public Var Columns(Var x, int first, int count)
    {
        Var v = NewVar(_values[x.Id].ColumnRange(first, count), NoGradient);
        _parents[v.Id] = x.Id;
        _firstColumns[v.Id] = first;
        return v;
    }

    /// <summary>The same contiguous elements under another shape: shares values and gradient with <paramref name="x"/>.</summary>
    public Var Reshape(Var x, Shape shape)
    {
        Var v = NewVar(_values[x.Id].Reshape(shape), NoGradient);
        _parents[v.Id] = x.Id;
        _firstColumns[v.Id] = WholeReshaped;
        return v;
    }

    /// <summary><paramref name="constant"/> in the element type of the pass: itself, or a rounded copy. For inputs without gradient.</summary>
    public Var InStorage(Var constant)
    {
        Tensor value = _values[constant.Id];
        if (value.Type == Storage)
        {
            return constant;
        }

        Var converted = Constant(Activations.Allocate(value.Shape, Storage));
        Backend.Copy(value, _values[converted.Id]);
        return converted;
    }

    /// <summary>
    /// Has the gradient of <paramref name="v"/> kept in fp32 whatever the pass's type: for small values that broadcast over rows (a modulation) or
    /// that every block adds to (the condition). What made <paramref name="v"/> must be <see cref="Linear"/> without activation or
    /// <see cref="Activate"/>.
    /// </summary>
    public Var WithWideGradient(Var v)
    {
        _gradientTypes[v.Id] = ElementType.Float32;
        return v;
    }

    /// <summary>The value.</summary>
    public Tensor Value(Var v) => _values[v.Id];

    /// <summary>The gradient after <see cref="Backward()"/>; none when nothing flowed into it.</summary>
    public Tensor Gradient(Var v) => _parents[v.Id] is var parent and not 0
        ? Gradient(new Var(parent)) is { IsNone: false } whole ? View(v, whole) : default
        : _states[v.Id] == Present ? _gradients[v.Id] : default;

    /// <summary>Declares <paramref name="gradient"/> (not copied, and overwritten on the way) to be dL/dv before <see cref="Backward()"/>.</summary>
    public void Seed(Var v, Tensor gradient)
    {
        _gradients[v.Id] = gradient;
        _states[v.Id] = Present;
    }

    /// <summary>Replays all records in reverse from the seeded gradients.</summary>
    public void Backward() => Backward(0);

    /// <summary>
    /// Takes back activation memory given out after <paramref name="mark"/> when no record needs it; with recording it does nothing.
    /// </summary>
    public void Scope(ArenaMark mark)
    {
        if (!Recording)
        {
            Activations.Release(mark);
        }
    }

    private void Backward(int downTo)
    {
        for (int i = _recordCount - 1; i >= downTo; i--)
        {
            TapeRecord record = _records[i];
            _recordCount = i;
            GradientRules.Of(record.Operation)(this, in record);
        }

    }

    private Var NewVar(Tensor value, byte state)
    {
        if (_varCount == _values.Length)
        {
            int size = 2 * _varCount;
            Array.Resize(ref _values, size);
            Array.Resize(ref _gradients, size);
            Array.Resize(ref _states, size);
            Array.Resize(ref _parents, size);
            Array.Resize(ref _firstColumns, size);
            Array.Resize(ref _gradientTypes, size);
        }

        int id = _varCount++;
        _values[id] = value;
        _gradients[id] = default;
        _gradientTypes[id] = value.Type;
        _states[id] = state;
        _parents[id] = 0;
        return new Var(id);
    }

    /// <summary>The destination of an operation: <paramref name="into"/> if given, else a new value.</summary>
    private Var Output(Var into, Shape shape) => into.IsNone ? Buffer(shape) : into;

    private void Record(in TapeRecord record)
    {
        if (!Recording)
        {
            return;
        }

        if (_recordCount == _records.Length)
        {
            Array.Resize(ref _records, 2 * _recordCount);
        }

        _records[_recordCount++] = record;
    }

    private bool Needs(Var v) => !v.IsNone && (_parents[v.Id] is var parent and not 0 ? Needs(new Var(parent)) : _states[v.Id] != NoGradient);

    /// <summary>The part of its parent's gradient that belongs to the view <paramref name="v"/>.</summary>
    private Tensor View(Var v, Tensor whole) => _firstColumns[v.Id] == WholeReshaped
        ? whole.Reshape(_values[v.Id].Shape)
        : whole.ColumnRange(_firstColumns[v.Id], _values[v.Id].Columns);

    private Tensor ValueOrNone(Var v) => v.IsNone ? default : _values[v.Id];

    /// <summary>Where to put dL/dv, and whether something is there already. None when no gradient is wanted.</summary>
    private Tensor Acquire(Var v, out bool accumulate)
    {
        accumulate = true;
        if (!Needs(v))
        {
            return default;
        }

        if (_parents[v.Id] is var parent and not 0)
        {
            return View(v, _firstColumns[v.Id] == WholeReshaped ? Acquire(new Var(parent), out accumulate) : AcquireZeroed(new Var(parent)));
        }

        if (_states[v.Id] == Wanted)
        {
            _gradients[v.Id] = GradientArena.Allocate(_values[v.Id].Shape, _gradientTypes[v.Id]);
            _states[v.Id] = Present;
            accumulate = false;
        }

        return _gradients[v.Id];
    }

    /// <summary>As <see cref="Acquire"/> for operations that always accumulate: a fresh gradient is zero.</summary>
    private Tensor AcquireZeroed(Var v)
    {
        Tensor gradient = Acquire(v, out bool accumulate);
        if (!accumulate)
        {
            Backend.Fill(gradient, 0);
        }

        return gradient;
    }

    /// <summary>
    /// As <see cref="Acquire"/> for operations that always overwrite: when something is there already the result goes to a temporary that
    /// <see cref="Settle"/> adds.
    /// </summary>
    private Tensor AcquireOverwritten(Var v, out bool settle)
    {
        Tensor gradient = Acquire(v, out bool accumulate);
        settle = accumulate && !gradient.IsNone;
        return settle ? GradientArena.Allocate(gradient.Shape, gradient.Type) : gradient;
    }

    /// <summary>
    /// As <see cref="Acquire"/> for operations that cannot leave dL/dX out: memory for it when X wants none but another operand does.
    /// </summary>
    private bool AcquireWithOperands(in TapeRecord record, out Tensor dy, out Tensor dx, out bool accumulate)
    {
        if (Flows(in record, out dy, out dx, out accumulate))
        {
            return true;
        }

        if (dy.IsNone || !(Needs(record.W) || Needs(record.B)))
        {
            return false;
        }

        dx = GradientArena.Allocate(_values[record.X.Id].Shape, _values[record.X.Id].Type);
        accumulate = false;
        return true;
    }

    private void Settle(Var v, Tensor gradient, bool settle)
    {
        if (settle)
        {
            Backend.Add(gradient, default, Gradient(v), accumulate: true);
        }
    }
}
