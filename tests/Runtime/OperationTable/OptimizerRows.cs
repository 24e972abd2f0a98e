using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Tests.Runtime.OperationTable;

internal sealed class AdamWRow : OperationRow
{
    private const float GradientScale = 0.75f;
    private readonly AdamWStep _step;

    public AdamWRow(int count, AdamWStep step)
        : base(nameof(IBackend.AdamW), count, $"step {step.Step}", wide: true)
    {
        _step = step;
        InOut("parameter", new Shape(count));
        In("gradient", new Shape(count));
        InOut("firstMoment", new Shape(count), draw: (r, i) => 0.1 * Normal(r, i));
        InOut("secondMoment", new Shape(count), draw: (r, i) => 0.01 + (0.1 * r.NextDouble()));
    }

    public override OperationRow With(int images) => new AdamWRow(images, _step);

    public override void Run(IBackend backend, Tensor[] t) => backend.AdamW(t[0], t[1], t[2], t[3], _step, GradientScale);

    public override void Reference<T>(Operands<T> v)
    {
        (T beta1, T beta2) = (Of<T>(_step.Beta1), Of<T>(_step.Beta2));
        (T correction1, T correction2) = (Of<T>(1 - Math.Pow(_step.Beta1, _step.Step)), Of<T>(1 - Math.Pow(_step.Beta2, _step.Step)));
        for (int i = 0; i < v[0].Length; i++)
        {
            T g = v[1][i] * Of<T>(GradientScale);
            v[2][i] = (beta1 * v[2][i]) + ((T.One - beta1) * g);
            v[3][i] = (beta2 * v[3][i]) + ((T.One - beta2) * g * g);
            T decayed = v[0][i] * (T.One - (Of<T>(_step.LearningRate) * Of<T>(_step.WeightDecay)));
            v[0][i] = decayed - (Of<T>(_step.LearningRate) * (v[2][i] / correction1) / (T.Sqrt(v[3][i] / correction2) + Of<T>(_step.Epsilon)));
        }
    }
}

internal sealed class EmaRow : OperationRow
{
    private const float Decay = 0.9375f;

    public EmaRow(int count)
        : base(nameof(IBackend.Ema), count, "", wide: true)
    {
        InOut("average", new Shape(count));
        In("x", new Shape(count));
    }

    public override OperationRow With(int images) => new EmaRow(images);

    public override void Run(IBackend backend, Tensor[] t) => backend.Ema(t[0], t[1], Decay);

    public override void Reference<T>(Operands<T> v)
    {
        for (int i = 0; i < v[0].Length; i++)
        {
            v[0][i] = (Of<T>(Decay) * v[0][i]) + ((T.One - Of<T>(Decay)) * v[1][i]);
        }
    }
}

/// <summary>The fp64 result in fp32, to one ulp; the reference sums in fp64 in either precision.</summary>
internal sealed class SquaredNormRow : OperationRow
{
    private readonly int _count;

    public SquaredNormRow(int count)
        : base(nameof(IBackend.SquaredNorm), 1, $"{count}", wide: true)
    {
        _count = count;
        In("x", new Shape(count));
        Out("norm", new Shape(1));
    }

    public override OperationRow With(int images) => new SquaredNormRow(_count);

    public override void Run(IBackend backend, Tensor[] t)
    {
        backend.Upload<float>([(float)backend.SquaredNorm(t[0])], t[1]);
    }

    public override void Reference<T>(Operands<T> v)
    {
        double norm = 0;
        foreach (T value in v[0])
        {
            norm += double.CreateChecked(value) * double.CreateChecked(value);
        }

        v[1][0] = Of<T>(norm);
    }
}
