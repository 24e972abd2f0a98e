using CoGrpo.Model.TextToImage;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Tests.Rl;

/// <summary>
/// The model objective written a second time: logits of all N positions, softmax in fp64 on the host, one (trajectory, step) at a time,
/// gradient from -(1/(BN)) Σ A ∇l. Shares nothing with the model phase but the networks.
/// </summary>
internal sealed class IndependentObjective(TinyRun run)
{
    private readonly int _codes = run.Setup.Height * run.Setup.Width;
    private readonly int _vocabulary = run.Masked.Vocabulary;

    /// <summary>[B,N] log-probability of each final code at the step that decoded it; the two branches may come from different models.</summary>
    public double[] LogProbs(TextToImageMaskedModel conditional, TextToImageMaskedModel unconditional, GuidanceGradient mode, Trajectories t)
    {
        double[] result = new double[t.Images * _codes];
        for (int b = 0; b < t.Images; b++)
        {
            for (int step = 0; step < t.Steps; step++)
            {
                int[] canvas = Canvas(t, b, step, out float fraction);
                float[] c = Logits(conditional, canvas, t.Prompts[b], fraction);
                float[] u = mode == GuidanceGradient.None ? [] : Logits(unconditional, canvas, 0, fraction);
                for (int i = 0; i < _codes; i++)
                {
                    if (t.DecodedStep[(b * _codes) + i] == step)
                    {
                        double[] p = Law(c, u, i, t.Actions[(b * t.Steps) + step]);
                        result[(b * _codes) + i] = Math.Log(p[t.Tokens[(b * _codes) + i]]);
                    }
                }
            }
        }

        return result;
    }

    /// <summary>-(1/(BN)) Σ A exp(Λ), Λ the sum of l - l0 over a segment; no clipping.</summary>
    public static double Loss(Trajectories t, double[] logProbs, double[] old)
    {
        double sum = 0;
        for (int b = 0; b < t.Images; b++)
        {
            for (int step = 0; step < t.Steps; step++)
            {
                sum += t.Advantages[b] * Math.Exp(LogRatio(t, logProbs, old, b, step));
            }
        }

        return -sum / (t.Images * t.Codes);
    }

    /// <summary>Λ of one segment.</summary>
    public static double LogRatio(Trajectories t, double[] logProbs, double[] old, int image, int step)
    {
        double sum = 0;
        for (int i = image * t.Codes; i < (image + 1) * t.Codes; i++)
        {
            sum += t.DecodedStep[i] == step ? logProbs[i] - old[i] : 0;
        }

        return sum;
    }

    /// <summary>-(1/(BN)) Σ A ∇l for every weight of the transformer.</summary>
    public float[] Gradient(Trajectories t, GuidanceGradient mode)
    {
        ParameterStore store = run.Model.Transformer.Parameters;
        store.EnableGradients();
        store.ZeroGradients();
        using Arena activations = run.Backend.CreateArena("independent values", 1 << 22);
        using Arena gradients = run.Backend.CreateArena("independent gradients", 1 << 22);
        var tape = new Tape(run.Backend, activations, gradients);
        for (int b = 0; b < t.Images; b++)
        {
            for (int step = 0; step < t.Steps; step++)
            {
                int[] canvas = Canvas(t, b, step, out float fraction);
                float[] detached = mode == GuidanceGradient.DetachUncond ? Logits(run.Masked, canvas, 0, fraction) : [];
                activations.Release(default);
                gradients.Release(default);
                tape.Begin(recording: true);
                Var c = Forward(tape, canvas, t.Prompts[b], fraction);
                Var u = mode == GuidanceGradient.Both ? Forward(tape, canvas, 0, fraction) : default;
                float[] cv = run.Read(tape.Value(c));
                float[] uv = mode == GuidanceGradient.Both ? run.Read(tape.Value(u)) : detached;
                float[] dc = new float[cv.Length];
                float[] du = new float[cv.Length];
                ScheduleAction action = t.Actions[(b * t.Steps) + step];
                for (int i = 0; i < _codes; i++)
                {
                    int at = (b * _codes) + i;
                    if (t.DecodedStep[at] != step)
                    {
                        continue;
                    }

                    double[] p = Law(cv, uv, i, action);
                    for (int v = 0; v < _vocabulary; v++)
                    {
                        double slope = -t.Advantages[b] / (t.Images * _codes) * ((v == t.Tokens[at] ? 1 : 0) - p[v]) / action.SamplingTemperature;
                        dc[(i * _vocabulary) + v] = (float)(slope * (uv.Length == 0 ? 1 : action.Guidance));
                        du[(i * _vocabulary) + v] = (float)(slope * (1 - action.Guidance));
                    }
                }

                Seed(tape, c, dc);
                if (mode == GuidanceGradient.Both)
                {
                    Seed(tape, u, du);
                }

                tape.Backward();
            }
        }

        float[] gradient = run.Read(store.Gradients);
        store.ZeroGradients();
        return gradient;
    }

    /// <summary>|a - b| / |b|.</summary>
    public static double Distance(float[] a, float[] b)
    {
        double difference = 0;
        double norm = 0;
        for (int i = 0; i < a.Length; i++)
        {
            difference += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
            norm += (double)b[i] * b[i];
        }

        return Math.Sqrt(difference / norm);
    }

    /// <summary>Euclidean norm.</summary>
    public static double Norm(float[] values) => Math.Sqrt(values.Sum(x => (double)x * x));

    private double[] Law(float[] c, float[] u, int position, ScheduleAction action)
    {
        double[] z = new double[_vocabulary];
        for (int v = 0; v < _vocabulary; v++)
        {
            double conditional = c[(position * _vocabulary) + v];
            double guided =
                u.Length == 0 ? conditional : u[(position * _vocabulary) + v] + (action.Guidance * (conditional - u[(position * _vocabulary) + v]));
            z[v] = guided / action.SamplingTemperature;
        }

        double top = z.Max();
        double total = z.Sum(x => Math.Exp(x - top));
        return [.. z.Select(x => Math.Exp(x - top) / total)];
    }

    private int[] Canvas(Trajectories t, int image, int step, out float fraction)
    {
        int[] canvas = new int[_codes];
        int masked = 0;
        for (int i = 0; i < _codes; i++)
        {
            bool known = t.DecodedStep[(image * _codes) + i] < step;
            canvas[i] = known ? t.Tokens[(image * _codes) + i] : run.Masked.MaskToken;
            masked += known ? 0 : 1;
        }

        fraction = masked / (float)_codes;
        return canvas;
    }

    private float[] Logits(TextToImageMaskedModel model, int[] canvas, int prompt, float fraction)
    {
        using Arena arena = run.Backend.CreateArena("independent", 1 << 20);
        Tensor codes = arena.Allocate(new Shape(1, _codes), ElementType.Int32);
        Tensor rows = arena.Allocate(new Shape(_codes), ElementType.Int32);
        Tensor hidden = arena.Allocate(new Shape(_codes, model.Head.Columns));
        Tensor logits = arena.Allocate(new Shape(_codes, _vocabulary));
        run.Backend.Upload<int>(canvas, codes);
        run.Backend.Upload<int>(Enumerable.Range(0, _codes).ToArray(), rows);
        (Tensor prompts, Tensor fractions) = One(arena, prompt, fraction);
        model.Predict(
            new MaskedBatch
            {
                Canvas = codes,
                Prompts = prompts,
                MaskedFractions = fractions,
                Step = 0,
                Steps = 1,
                Rows = rows,
            },
            hidden,
            default
        );
        run.Backend.Linear(hidden, model.Head, default, logits);
        return run.Read(logits);
    }

    private Var Forward(Tape tape, int[] canvas, int prompt, float fraction)
    {
        Tensor codes = tape.Activations.Allocate(new Shape(1, _codes), ElementType.Int32);
        run.Backend.Upload<int>(canvas, codes);
        (Tensor prompts, Tensor fractions) = One(tape.Activations, prompt, fraction);
        return run.Model.Transformer.Forward(tape, run.Masked.Input(tape, codes, prompts, fractions), out _);
    }

    private (Tensor Prompts, Tensor Fractions) One(Arena arena, int prompt, float fraction)
    {
        Tensor prompts = arena.Allocate(new Shape(1), ElementType.Int32);
        Tensor fractions = arena.Allocate(new Shape(1));
        run.Backend.Upload<int>([prompt], prompts);
        run.Backend.Upload<float>([fraction], fractions);
        return (prompts, fractions);
    }

    private void Seed(Tape tape, Var v, float[] gradient)
    {
        Tensor seed = tape.GradientArena.Allocate(tape.Value(v).Shape);
        run.Backend.Upload<float>(gradient, seed);
        tape.Seed(v, seed);
    }
}
