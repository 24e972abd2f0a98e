using System.Numerics;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Tests.Runtime.OperationTable;

/// <summary>Formulas shared by the operations on guided logit rows.</summary>
internal static class GuidedFormula
{
    /// <summary>(u + s(c - u)) / τ of one row.</summary>
    public static T[] Logits<T>(T[] conditional, T[]? unconditional, T guidance, T temperature, int row, int codes)
        where T : struct, IFloatingPointIeee754<T>
    {
        T[] z = new T[codes];
        for (int i = 0; i < codes; i++)
        {
            T c = conditional[(row * codes) + i];
            z[i] = (unconditional is null ? c : unconditional[(row * codes) + i] + (guidance * (c - unconditional[(row * codes) + i]))) / temperature;
        }

        return z;
    }

    public static T LogSumExp<T>(T[] z)
        where T : struct, IFloatingPointIeee754<T>
    {
        T max = z[0], sum = T.Zero;
        foreach (T value in z)
        {
            max = T.Max(max, value);
        }

        foreach (T value in z)
        {
            sum += T.Exp(value - max);
        }

        return max + T.Log(sum);
    }

    public static T Gumbel<T>(ulong key, int step, int word, uint second, int trajectory)
        where T : struct, IFloatingPointIeee754<T>
    {
        (uint a, uint b, uint c, uint d) = Philox.Block(key, (uint)word / 4, second, (uint)step, (uint)trajectory);
        uint bits = (word % 4) switch { 0 => a, 1 => b, 2 => c, _ => d };
        return -T.Log(-T.Log(T.CreateChecked(Philox.Uniform(bits))));
    }
}

internal sealed class SinusoidRow : OperationRow
{
    private readonly (int Frequencies, bool Far) _size;

    /// <summary>Far: numbers of all magnitudes of fp32, for the frequency 1 alone, whose product with them is exact.</summary>
    public SinusoidRow(int images, int frequencies, bool far = false)
        : base(nameof(IBackend.Sinusoid), images, $"{frequencies}{(far ? " far" : "")}")
    {
        _size = (frequencies, far);
        In("values", new Shape(images), wide: true, draw: far ? Far : (r, i) => i % 2 == 0 ? 1000 * i : 30 * Normal(r, i));
        In("frequencies", new Shape(frequencies), shared: true, wide: true, draw: (_, i) => Math.Exp(-Math.Log(10000) * i / frequencies));
        Out("y", new Shape(images, 2 * frequencies), Padding(2 * frequencies, 3));
    }

    public override OperationRow With(int images) => new SinusoidRow(images, _size.Frequencies, _size.Far);

    public override void Run(IBackend backend, Tensor[] t) => backend.Sinusoid(t[0], t[1], t[2]);

    public override void Reference<T>(Operands<T> v)
    {
        int frequencies = _size.Frequencies;
        for (int i = 0; i < Images * frequencies; i++)
        {
            T angle = v[0][i / frequencies] * v[1][i % frequencies];
            int at = (i / frequencies * 2 * frequencies) + (i % frequencies);
            (v[2][at], v[2][at + frequencies]) = (T.Cos(angle), T.Sin(angle));
        }
    }

    private static double Far(Random random, int index) =>
        (random.Next(2) == 0 ? -1 : 1) * (1 + random.NextDouble()) * Math.Pow(2, (index % 250) - 125);
}

internal sealed class CrossEntropyRow : OperationRow
{
    private const float Weight = 0.4f;
    private readonly (int Codes, bool Gradient) _size;

    public CrossEntropyRow(int images, int codes, bool gradient)
        : base(nameof(IBackend.CrossEntropy), images, $"{codes} codes{(gradient ? "" : " without gradient")}", wide: true)
    {
        _size = (codes, gradient);
        In("logits", new Shape(images, codes), codes % 4, draw: (r, i) => 3 * Normal(r, i));
        Integers("labels", new Shape(images), (r, _) => r.Next(codes));
        Out("loss", new Shape(images));
        if (gradient)
        {
            Out("dlogits", new Shape(images, codes), codes % 4);
        }
    }

    public override double Factor => _size.Gradient ? 3 : 2;

    public override (int At, int Gradient)[] Gradients => _size.Gradient ? [(0, 3)] : [];

    public override (int Input, int Output)[] Aliases => _size.Gradient ? [(0, 3)] : [];

    public override OperationRow With(int images) => new CrossEntropyRow(images, _size.Codes, _size.Gradient);

    public override void Run(IBackend backend, Tensor[] t) => backend.CrossEntropy(t[0], t[1], Weight, t[2], _size.Gradient ? t[3] : default);

    public override double Loss(Operands<double> v)
    {
        double sum = 0;
        for (int r = 0; r < Images; r++)
        {
            double[] z = GuidedFormula.Logits(v[0], null, 1, 1, r, _size.Codes);
            sum += Weight * (GuidedFormula.LogSumExp(z) - z[v.Integers(1)[r]]);
        }

        return sum;
    }

    public override void Reference<T>(Operands<T> v)
    {
        for (int r = 0; r < Images; r++)
        {
            T[] z = GuidedFormula.Logits(v[0], null, T.One, T.One, r, _size.Codes);
            T logSumExp = GuidedFormula.LogSumExp(z);
            int label = v.Integers(1)[r];
            v[2][r] = logSumExp - z[label];
            for (int i = 0; _size.Gradient && i < _size.Codes; i++)
            {
                v[3][(r * _size.Codes) + i] = Of<T>(Weight) * (T.Exp(z[i] - logSumExp) - (i == label ? T.One : T.Zero));
            }
        }
    }
}

internal sealed class LogProbGatherRow : OperationRow
{
    private readonly (int Codes, bool Guided, bool All) _size;

    public LogProbGatherRow(int images, int codes, bool guided, bool all)
        : base(nameof(IBackend.LogProbGather), images, $"{codes} codes{(guided ? " guided" : "")}{(all ? "" : " logProb only")}", wide: true)
    {
        _size = (codes, guided, all);
        In("conditional", new Shape(images, codes), codes % 4, draw: (r, i) => 2 * Normal(r, i));
        In("unconditional", new Shape(images, codes), codes % 3, draw: (r, i) => 2 * Normal(r, i));
        In("guidance", new Shape(images), draw: (r, _) => 1 + (2 * r.NextDouble()));
        In("temperature", new Shape(images), draw: (r, _) => 0.5 + r.NextDouble());
        Integers("tokens", new Shape(images), (r, _) => r.Next(codes));
        Out("logProb", new Shape(images));
        if (all)
        {
            Out("confidence", new Shape(images));
            Out("entropy", new Shape(images));
            Out("logSumExp", new Shape(images));
        }
    }

    public override OperationRow With(int images) => new LogProbGatherRow(images, _size.Codes, _size.Guided, _size.All);

    public override void Run(IBackend backend, Tensor[] t)
    {
        (Tensor confidence, Tensor entropy, Tensor logSumExp) = _size.All ? (t[6], t[7], t[8]) : default;
        backend.LogProbGather(t[0], _size.Guided ? t[1] : default, t[2], t[3], t[4], t[5], confidence, entropy, logSumExp);
    }

    public override void Reference<T>(Operands<T> v)
    {
        for (int r = 0; r < Images; r++)
        {
            T[] z = GuidedFormula.Logits(v[0], _size.Guided ? v[1] : null, v[2][r], v[3][r], r, _size.Codes);
            T logSumExp = GuidedFormula.LogSumExp(z);
            int token = v.Integers(4)[r];
            v[5][r] = z[token] - logSumExp;
            if (_size.All)
            {
                T[] cold = GuidedFormula.Logits(v[0], _size.Guided ? v[1] : null, v[2][r], T.One, r, _size.Codes);
                v[6][r] = cold[token] - GuidedFormula.LogSumExp(cold);
                v[7][r] = T.Zero;
                foreach (T value in z)
                {
                    v[7][r] -= T.Exp(value - logSumExp) * (value - logSumExp);
                }

                v[8][r] = logSumExp;
            }
        }
    }
}

internal sealed class LogProbGatherBackwardRow : OperationRow
{
    private readonly (int Codes, bool Guided, bool Detached) _size;

    public LogProbGatherBackwardRow(int images, int codes, bool guided, bool detached)
        : base(nameof(IBackend.LogProbGatherBackward), images, $"{codes} codes{(guided ? " guided" : "")}{(detached ? " detached" : "")}", wide: true)
    {
        _size = (codes, guided, detached);
        In("upstream", new Shape(images));
        In("conditional", new Shape(images, codes), codes % 4, draw: (r, i) => 2 * Normal(r, i));
        In("unconditional", new Shape(images, codes), codes % 3, draw: (r, i) => 2 * Normal(r, i));
        In("guidance", new Shape(images), draw: (r, _) => 1 + (2 * r.NextDouble()));
        In("temperature", new Shape(images), draw: (r, _) => 0.5 + r.NextDouble());
        Integers("tokens", new Shape(images), (r, _) => r.Next(codes));
        In("logSumExp", new Shape(images));
        Out("dconditional", new Shape(images, codes), codes % 4);
        if (guided && !detached)
        {
            Out("dunconditional", new Shape(images, codes), codes % 3);
        }
    }

    public override (int At, int Gradient)[] Gradients => _size is { Guided: true, Detached: false } ? [(1, 7), (2, 8)] : [(1, 7)];

    public override (int Input, int Output)[] Aliases => _size is { Guided: true, Detached: false } ? [(1, 7), (2, 8)] : [(1, 7)];

    public override OperationRow With(int images) => new LogProbGatherBackwardRow(images, _size.Codes, _size.Guided, _size.Detached);

    public override void Run(IBackend backend, Tensor[] t) =>
        backend.LogProbGatherBackward(
            t[0],
            t[1],
            _size.Guided ? t[2] : default,
            t[3],
            t[4],
            t[5],
            t[6],
            t[7],
            _size is { Guided: true, Detached: false } ? t[8] : default
        );

    public override void Prepare(Operands<double> v)
    {
        for (int r = 0; r < Images; r++)
        {
            v[6][r] = GuidedFormula.LogSumExp(Logits(v, r));
        }
    }

    public override double Loss(Operands<double> v)
    {
        double sum = 0;
        for (int r = 0; r < Images; r++)
        {
            double[] z = Logits(v, r);
            sum += v[0][r] * (z[v.Integers(5)[r]] - GuidedFormula.LogSumExp(z));
        }

        return sum;
    }

    public override void Reference<T>(Operands<T> v)
    {
        for (int r = 0; r < Images; r++)
        {
            T[] z = Logits(v, r);
            T logSumExp = GuidedFormula.LogSumExp(z);
            for (int i = 0; i < _size.Codes; i++)
            {
                T slope = v[0][r] / v[4][r] * ((i == v.Integers(5)[r] ? T.One : T.Zero) - T.Exp(z[i] - logSumExp));
                v[7][(r * _size.Codes) + i] = _size.Guided ? v[3][r] * slope : slope;
                if (_size is { Guided: true, Detached: false })
                {
                    v[8][(r * _size.Codes) + i] = (T.One - v[3][r]) * slope;
                }
            }
        }
    }

    private T[] Logits<T>(Operands<T> v, int row)
        where T : struct, IFloatingPointIeee754<T> => GuidedFormula.Logits(v[1], _size.Guided ? v[2] : null, v[3][row], v[4][row], row, _size.Codes);
}
