using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Model.Lora;

/// <summary>A low-rank addition (α/r) B A to a weight W: A [r,K], B [N,r].</summary>
internal sealed class LoraAdapter
{
    private readonly Parameter _a;
    private readonly Parameter _b;
    private readonly float _scale;

    public LoraAdapter(ParameterStore store, LoraSlot slot, LoraShape shape)
    {
        _a = store.Declare(slot.Module + LoraNames.A, new Shape(shape.Rank, slot.Inputs));
        _b = store.Declare(slot.Module + LoraNames.B, new Shape(slot.Outputs, shape.Rank));
        _scale = (float)(shape.Alpha / shape.Rank);
    }

    public Parameter A => _a;

    public Parameter B => _b;

    /// <summary>y += (α/r) B A x in place: x [..,K], y [..,N] as <see cref="Tape.Linear"/> without activation made it.</summary>
    public void AddTo(Tape tape, Var x, Var y)
    {
        // The factor goes on the r columns in the middle: the fewest numbers, and no rounding of W or B.
        Var h = tape.Linear(x, tape.Parameter(_a));
        if (_scale != 1)
        {
            tape.Scale(h, _scale);
        }

        tape.AddLinear(h, tape.Parameter(_b), y);
    }

    /// <summary>W := W + (α/r) B A in fp32, then B := 0, so that weight and adapter together stay what they were.</summary>
    public void Fold(IBackend backend, Arena work, Parameter weight)
    {
        ArenaMark mark = work.Mark();
        Tensor scaled = work.Allocate(_b.Shape);
        backend.Scale(_b.Value, _scale, scaled);
        backend.Linear(scaled, _a.Value, default, weight.Value, WeightLayout.InOut, residual: weight.Value);
        backend.Fill(_b.Value, 0);
        work.Release(mark);
    }
}
