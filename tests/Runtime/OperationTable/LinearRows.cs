using System.Numerics;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Tests.Runtime.OperationTable;

internal static class ActivationFormula
{
    public static T Value<T>(Activation activation, T x)
        where T : struct, IFloatingPointIeee754<T> => activation switch
        {
            Activation.Silu => x / (T.One + T.Exp(-x)),
            Activation.GeluTanh => Half<T>() * x * (T.One + T.Tanh(Inner(x))),
            Activation.GeluErf => x * Phi(x),
            Activation.GeluQuick => x / (T.One + T.Exp(-T.CreateChecked(1.702) * x)),
            _ => x,
        };

    public static T Derivative<T>(Activation activation, T x)
        where T : struct, IFloatingPointIeee754<T>
    {
        switch (activation)
        {
            case Activation.Silu:
                T sigmoid = T.One / (T.One + T.Exp(-x));
                return sigmoid * (T.One + (x * (T.One - sigmoid)));
            case Activation.GeluTanh:
                T tanh = T.Tanh(Inner(x));
                T slope = T.CreateChecked(Math.Sqrt(2 / Math.PI)) * (T.One + (T.CreateChecked(3 * 0.044715) * x * x));
                return (Half<T>() * (T.One + tanh)) + (Half<T>() * x * (T.One - (tanh * tanh)) * slope);
            case Activation.GeluErf:
                return Phi(x) + (x * T.Exp(-Half<T>() * x * x) * T.CreateChecked(1 / Math.Sqrt(2 * Math.PI)));
            case Activation.GeluQuick:
                T quick = T.One / (T.One + T.Exp(-T.CreateChecked(1.702) * x));
                return quick * (T.One + (T.CreateChecked(1.702) * x * (T.One - quick)));
            default:
                return T.One;
        }
    }

    private static T Half<T>()
        where T : IFloatingPointIeee754<T> => T.CreateChecked(0.5);

    private static T Inner<T>(T x)
        where T : IFloatingPointIeee754<T> => T.CreateChecked(Math.Sqrt(2 / Math.PI)) * (x + (T.CreateChecked(0.044715) * x * x * x));

    /// <summary>The normal distribution as 0.5(1 + erf(x/√2)); .NET has no error function of its own.</summary>
    private static T Phi<T>(T x)
        where T : IFloatingPointIeee754<T>
    {
        if (typeof(T) == typeof(double))
        {
            return T.CreateChecked(0.5 * ActivationTests.Erfc(-double.CreateChecked(x) / Math.Sqrt(2)));
        }

        T erf = T.CreateChecked(1 - ActivationTests.Erfc(double.CreateChecked(x / T.Sqrt(T.CreateChecked(2)))));
        return Half<T>() * (T.One + erf);
    }
}

internal sealed class ActivateRow : OperationRow
{
    private readonly (int Columns, Activation Activation) _size;

    public ActivateRow(int images, int columns, Activation activation)
        : base(nameof(IBackend.Activate), images, $"{columns} {activation}")
    {
        _size = (columns, activation);
        In("x", new Shape(images, columns), Padding(columns, 3), draw: (r, i) => 3 * Normal(r, i));
        Out("y", new Shape(images, columns), Padding(columns, 3));
    }

    public override (int Input, int Output)[] Aliases => [(0, 1)];

    public override OperationRow With(int images) => new ActivateRow(images, _size.Columns, _size.Activation);

    public override void Run(IBackend backend, Tensor[] t) => backend.Activate(t[0], t[1], _size.Activation);

    public override void Reference<T>(Operands<T> v)
    {
        for (int i = 0; i < v[1].Length; i++)
        {
            v[1][i] = ActivationFormula.Value(_size.Activation, v[0][i]);
        }
    }
}

internal sealed class ActivateBackwardRow : OperationRow
{
    private readonly (int Columns, Activation Activation, bool Accumulate) _size;

    public ActivateBackwardRow(int images, int columns, Activation activation, bool accumulate)
        : base(nameof(IBackend.ActivateBackward), images, $"{columns} {activation}{(accumulate ? " accumulate" : "")}")
    {
        _size = (columns, activation, accumulate);
        In("dy", new Shape(images, columns), Padding(columns, 3));
        In("x", new Shape(images, columns), Padding(columns, 4), draw: (r, i) => 3 * Normal(r, i));
        Result("dx", new Shape(images, columns), accumulate, Padding(columns, 3));
    }

    public override (int At, int Gradient)[] Gradients => [(1, 2)];

    public override (int Input, int Output)[] Aliases => _size.Accumulate ? [] : [(0, 2)];

    public override OperationRow With(int images) => new ActivateBackwardRow(images, _size.Columns, _size.Activation, _size.Accumulate);

    public override void Run(IBackend backend, Tensor[] t) => backend.ActivateBackward(t[0], t[1], t[2], _size.Activation, _size.Accumulate);

    public override double Loss(Operands<double> v) => Dot(v[0], Array.ConvertAll(v[1], x => ActivationFormula.Value(_size.Activation, x)));

    public override void Reference<T>(Operands<T> v)
    {
        for (int i = 0; i < v[2].Length; i++)
        {
            T dx = v[0][i] * ActivationFormula.Derivative(_size.Activation, v[1][i]);
            v[2][i] = _size.Accumulate ? v[2][i] + dx : dx;
        }
    }
}

/// <summary>How the operands of a matrix product lie beyond their sizes.</summary>
/// <param name="Aligned">Whether every row of every operand can be moved in 16-byte pieces; else none can.</param>
/// <param name="Wide">Whether the result (of the product forward, of the loss for gradients) is fp32 whatever the storage, as logits are.</param>
internal readonly record struct LinearForm(bool Aligned = false, bool Wide = false)
{
    /// <summary>Elements between rows: those that fit the form.</summary>
    public int Padding(int odd) => Aligned ? 8 : odd;

    public override string ToString() => $"{(Aligned ? " aligned" : "")}{(Wide ? " wide" : "")}";
}

/// <summary>Matrix product with every part of the epilogue on or off.</summary>
internal sealed class LinearRow : OperationRow
{
    private readonly (int Tokens, int K, int N, WeightLayout Layout, Activation Activation, bool Fused, bool Gated, LinearForm Form) _size;

    public LinearRow(
        int images,
        int tokens,
        int k,
        int n,
        WeightLayout layout,
        Activation activation,
        bool fused,
        bool gated,
        LinearForm form = default
    )
        : base(
            nameof(IBackend.Linear),
            images,
            $"{tokens}x{k}x{n} {layout} {activation}{(fused ? " bias residual" : "")}{(gated ? " gate" : "")}{form}"
        )
    {
        _size = (tokens, k, n, layout, activation, fused, gated, form);
        In("x", new Shape(images * tokens, k), form.Padding(k % 4));
        In("weight", layout == WeightLayout.OutIn ? new Shape(n, k) : new Shape(k, n), shared: true);
        In("bias", new Shape(n), shared: true);
        In("residual", new Shape(images * tokens, n), form.Padding(2));
        In("gate", new Shape(images, n), form.Padding(6));
        Out("y", new Shape(images * tokens, n), form.Padding(2), wide: form.Wide);
        if (fused)
        {
            Out("preActivation", new Shape(images * tokens, n));
        }
    }

    public override (int Input, int Output)[] Aliases => _size.Fused && !_size.Form.Wide ? [(3, 5)] : [];

    public override OperationRow With(int images) =>
        new LinearRow(images, _size.Tokens, _size.K, _size.N, _size.Layout, _size.Activation, _size.Fused, _size.Gated, _size.Form);

    public override void Run(IBackend backend, Tensor[] t) =>
        backend.Linear(
            t[0],
            t[1],
            _size.Fused ? t[2] : default,
            t[5],
            _size.Layout,
            _size.Activation,
            _size.Fused ? t[6] : default,
            _size.Fused ? t[3] : default,
            _size.Gated ? t[4] : default
        );

    public override void Reference<T>(Operands<T> v) => Compute(v, branch => branch);

    /// <summary>A branch of a residual stream is rounded as if it had been stored: the fused form has the bits of the separate operations.</summary>
    public override void PlainForm(Operands<float> v, ElementType storage) =>
        Compute(v, branch => _size.Form.Wide || !(_size.Fused || _size.Gated) ? branch : Rounded(branch, storage));

    private void Compute<T>(Operands<T> v, Func<T, T> rounded)
        where T : struct, IFloatingPointIeee754<T>
    {
        (int tokens, int k, int n, WeightLayout layout, Activation activation, bool fused, bool gated, _) = _size;
        for (int m = 0; m < Images * tokens; m++)
        {
            for (int j = 0; j < n; j++)
            {
                T sum = T.Zero;
                for (int i = 0; i < k; i++)
                {
                    sum += v[0][(m * k) + i] * v[1][layout == WeightLayout.OutIn ? (j * k) + i : (i * n) + j];
                }

                sum += fused ? v[2][j] : T.Zero;
                T a = rounded(ActivationFormula.Value(activation, sum));
                a = gated ? a * v[4][(m / tokens * n) + j] : a;
                v[5][(m * n) + j] = fused ? v[3][(m * n) + j] + a : a;
                if (fused)
                {
                    v[6][(m * n) + j] = sum;
                }
            }
        }
    }
}

internal sealed class LinearBackwardInputRow : OperationRow
{
    private readonly (int Tokens, int K, int N, WeightLayout Layout, bool Accumulate, LinearForm Form) _size;

    public LinearBackwardInputRow(int images, int tokens, int k, int n, WeightLayout layout, bool accumulate, LinearForm form = default)
        : base(nameof(IBackend.LinearBackwardInput), images, $"{tokens}x{k}x{n} {layout}{(accumulate ? " accumulate" : "")}{form}")
    {
        _size = (tokens, k, n, layout, accumulate, form);
        In("dy", new Shape(images * tokens, n), form.Padding(n % 4), wide: form.Wide);
        In("weight", layout == WeightLayout.OutIn ? new Shape(n, k) : new Shape(k, n), shared: true);
        Result("dx", new Shape(images * tokens, k), accumulate, form.Padding(k % 3));
        Hidden("x", new Shape(images * tokens, k));
    }

    public override (int At, int Gradient)[] Gradients => [(3, 2)];

    public override OperationRow With(int images) =>
        new LinearBackwardInputRow(images, _size.Tokens, _size.K, _size.N, _size.Layout, _size.Accumulate, _size.Form);

    public override void Run(IBackend backend, Tensor[] t) => backend.LinearBackwardInput(t[0], t[1], t[2], _size.Layout, _size.Accumulate);

    public override double Loss(Operands<double> v) => LinearBackwardWeightRow.Product(v[0], v[3], v[1], null, _size.K, _size.N, _size.Layout);

    public override void Reference<T>(Operands<T> v) => Compute(v, v[0]);

    public override void PlainForm(Operands<float> v, ElementType storage) => Compute(v, Array.ConvertAll(v[0], x => Rounded(x, storage)));

    private void Compute<T>(Operands<T> v, T[] dy)
        where T : struct, IFloatingPointIeee754<T>
    {
        (int tokens, int k, int n, WeightLayout layout, bool accumulate, _) = _size;
        for (int m = 0; m < Images * tokens; m++)
        {
            for (int i = 0; i < k; i++)
            {
                T sum = T.Zero;
                for (int j = 0; j < n; j++)
                {
                    sum += dy[(m * n) + j] * v[1][layout == WeightLayout.OutIn ? (j * k) + i : (i * n) + j];
                }

                v[2][(m * k) + i] = accumulate ? v[2][(m * k) + i] + sum : sum;
            }
        }
    }
}

internal sealed class LinearBackwardWeightRow : OperationRow
{
    private readonly (int Tokens, int K, int N, WeightLayout Layout, LinearForm Form) _size;

    public LinearBackwardWeightRow(int images, int tokens, int k, int n, WeightLayout layout, LinearForm form = default)
        : base(nameof(IBackend.LinearBackwardWeight), images, $"{tokens}x{k}x{n} {layout}{form}")
    {
        _size = (tokens, k, n, layout, form);
        Shape weight = layout == WeightLayout.OutIn ? new Shape(n, k) : new Shape(k, n);
        In("dy", new Shape(images * tokens, n), form.Padding(n % 4), wide: form.Wide);
        In("x", new Shape(images * tokens, k), form.Padding(k % 3));
        InOut("dweight", weight, shared: true, wide: true);
        InOut("dbias", new Shape(n), shared: true, wide: true);
        Hidden("weight", weight, shared: true);
        Hidden("bias", new Shape(n), shared: true);
    }

    public override (int At, int Gradient)[] Gradients => [(4, 2), (5, 3)];

    public override OperationRow With(int images) => new LinearBackwardWeightRow(images, _size.Tokens, _size.K, _size.N, _size.Layout, _size.Form);

    public override void Run(IBackend backend, Tensor[] t) => backend.LinearBackwardWeight(t[0], t[1], t[2], t[3], _size.Layout);

    public override double Loss(Operands<double> v) => Product(v[0], v[1], v[4], v[5], _size.K, _size.N, _size.Layout);

    public override void Reference<T>(Operands<T> v) => Compute(v, v[0]);

    public override void PlainForm(Operands<float> v, ElementType storage) => Compute(v, Array.ConvertAll(v[0], x => Rounded(x, storage)));

    private void Compute<T>(Operands<T> v, T[] factor)
        where T : struct, IFloatingPointIeee754<T>
    {
        (int tokens, int k, int n, WeightLayout layout, _) = _size;
        for (int m = 0; m < Images * tokens; m++)
        {
            for (int j = 0; j < n; j++)
            {
                T dy = factor[(m * n) + j];
                v[3][j] += v[0][(m * n) + j];
                for (int i = 0; i < k; i++)
                {
                    v[2][layout == WeightLayout.OutIn ? (j * k) + i : (i * n) + j] += dy * v[1][(m * k) + i];
                }
            }
        }
    }

    /// <summary>Sum of dy ⊙ (x W^T + bias).</summary>
    public static double Product(double[] dy, double[] x, double[] weight, double[]? bias, int k, int n, WeightLayout layout)
    {
        double total = 0;
        for (int m = 0; m < x.Length / k; m++)
        {
            for (int j = 0; j < n; j++)
            {
                double sum = bias?[j] ?? 0;
                for (int i = 0; i < k; i++)
                {
                    sum += x[(m * k) + i] * weight[layout == WeightLayout.OutIn ? (j * k) + i : (i * n) + j];
                }

                total += dy[(m * n) + j] * sum;
            }
        }

        return total;
    }
}
