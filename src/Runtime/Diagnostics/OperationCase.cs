using CoGrpo.Runtime.Backends;

namespace CoGrpo.Runtime.Diagnostics;

/// <summary>One operation at one size, ready to be run on any backend: what a doctor compares and a benchmark times.</summary>
/// <param name="Operation">Name of the member of <see cref="IBackend"/>.</param>
/// <param name="Size">Its sizes, for people.</param>
/// <param name="Build">Makes the operands and gives back the call.</param>
internal sealed record OperationCase(string Operation, string Size, Func<CaseTensors, Action> Build)
{
    /// <summary>The operands on <paramref name="backend"/>, in <paramref name="arena"/>.</summary>
    /// <param name="backend">Where.</param>
    /// <param name="arena">Memory of that backend; must outlive the result.</param>
    /// <param name="rounding">Element type that input values are rounded to.</param>
    public PreparedCase Prepare(IBackend backend, Arena arena, ElementType rounding)
    {
        CaseTensors tensors = new(backend, arena, rounding);
        Action run = Build(tensors);
        return new PreparedCase(this, run, tensors.Outputs);
    }

    /// <summary>Operation and size.</summary>
    public override string ToString() => $"{Operation} {Size}";
}

/// <summary>A case on a backend.</summary>
/// <param name="Case">The case.</param>
/// <param name="Run">Queues the operation once.</param>
/// <param name="Outputs">What it writes.</param>
internal sealed record PreparedCase(OperationCase Case, Action Run, IReadOnlyList<(string Name, Tensor Tensor)> Outputs);
