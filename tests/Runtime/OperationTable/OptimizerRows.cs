using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Tests.Runtime.OperationTable;

internal sealed class AdamWRow : OperationRow
{
    private const double Norm = 4;
    private const float AverageDecay = 0.9375f;
    private readonly (AdamWStep Step, bool All) _case;

    public AdamWRow(int count, AdamWStep step, bool all = true)
        : base(nameof(IBackend.AdamW), count, $"step {step.Step}{(all ? "" : " without copy and average")}", wide: true)
    {
        _case = (step, all);
        InOut("parameter", new Shape(count));
        InOut("gradient", new Shape(count));
        InOut("firstMoment", new Shape(count), draw: (r, i) => 0.1 * Normal(r, i));
        InOut("secondMoment", new Shape(count), draw: (r, i) => 0.01 + (0.1 * r.NextDouble()));
        Doubles("squaredNorm", new Shape(1), (_, _) => Norm * Norm, shared: true);
        if (all)
        {
            InOut("average", new Shape(count));
            Operands.Add(new Operand("compute", Role.Out, new Shape(count), ElementType.Float32, false, false, 0, Normal));
        }
    }

    public override OperationRow With(int images) => new AdamWRow(images, _case.Step, _case.All);

    public override void Run(IBackend backend, Tensor[] t)
    {
        // The copy exists where networks compute in another type than fp32; elsewhere the table's own copy stands in for it.
        bool copies = _case.All && backend.Storage != ElementType.Float32;
        backend.AdamW(new AdamWOperands
        {
            Parameter = t[0],
            Gradient = t[1],
            FirstMoment = t[2],
            SecondMoment = t[3],
            SquaredNorm = t[4],
            Average = _case.All ? t[5] : default,
            AverageDecay = AverageDecay,
            Compute = copies ? t[6] : default,
        }, _case.Step);
        if (_case.All && !copies)
        {
            backend.Copy(t[0], t[6]);
        }
    }

    public override void Reference<T>(Operands<T> v)
    {
        AdamWStep step = _case.Step;
        T scale = T.Min(T.One, Of<T>(step.ClipNorm > 0 ? step.ClipNorm / (Norm + 1e-6) : 1));
        (T beta1, T beta2) = (Of<T>(step.Beta1), Of<T>(step.Beta2));
        (T correction1, T correction2) = (Of<T>(1 - Math.Pow(step.Beta1, step.Step)), Of<T>(1 - Math.Pow(step.Beta2, step.Step)));
        for (int i = 0; i < v[0].Length; i++)
        {
            T g = v[1][i] * scale;
            v[1][i] = T.Zero;
            v[2][i] = (beta1 * v[2][i]) + ((T.One - beta1) * g);
            v[3][i] = (beta2 * v[3][i]) + ((T.One - beta2) * g * g);
            T decayed = v[0][i] * (T.One - (Of<T>(step.LearningRate) * Of<T>(step.WeightDecay)));
            v[0][i] = decayed - (Of<T>(step.LearningRate) * (v[2][i] / correction1) / (T.Sqrt(v[3][i] / correction2) + Of<T>(step.Epsilon)));
            if (_case.All)
            {
                v[5][i] = (Of<T>(AverageDecay) * v[5][i]) + ((T.One - Of<T>(AverageDecay)) * v[0][i]);
                v[6][i] = v[0][i];
            }
        }
    }
}

/// <summary>The reference sums in fp64 in either precision, in another order than the kernel.</summary>
internal sealed class SquaredNormRow : OperationRow
{
    private readonly (int Count, bool Accumulate) _case;

    public SquaredNormRow(int count, bool accumulate)
        : base(nameof(IBackend.SquaredNorm), 1, $"{count}{(accumulate ? " accumulate" : "")}", wide: true)
    {
        _case = (count, accumulate);
        In("x", new Shape(count));
        Doubles("sum", new Shape(1), (_, _) => 3, role: accumulate ? Role.InOut : Role.Out);
    }

    /// <summary>Rounding of a sum of this many fp64 terms.</summary>
    public override double Slack => 1e-13;

    public override OperationRow With(int images) => new SquaredNormRow(_case.Count, _case.Accumulate);

    public override void Run(IBackend backend, Tensor[] t) => backend.SquaredNorm(t[0], t[1], _case.Accumulate);

    public override void Reference<T>(Operands<T> v)
    {
        double norm = _case.Accumulate ? double.CreateChecked(v[1][0]) : 0;
        foreach (T value in v[0])
        {
            norm += double.CreateChecked(value) * double.CreateChecked(value);
        }

        v[1][0] = Of<T>(norm);
    }
}
