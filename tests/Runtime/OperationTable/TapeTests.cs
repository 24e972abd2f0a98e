using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Backends.Cpu;

namespace CoGrpo.Tests.Runtime.OperationTable;

/// <summary>
/// Every method of the tape: its gradients against differences of its values, with operands used twice, seen through views, or frozen.
/// </summary>
public sealed class TapeTests : IDisposable
{
    private const float Epsilon = 1e-2f;

    /// <summary>
    /// Small graphs over some inputs, at least one for every operation; each is built twice over the same inputs, so that every gradient is written
    /// and then added to.
    /// </summary>
    private static readonly (string Name, Shape[] Inputs, Func<TapeTests, Var[], Var> Build)[] Graphs =
    [
        ("Linear", [new(6, 5), new(7, 5), new(7)], (t, v) => t._tape.Linear(v[0], v[1], v[2], Activation.Silu)),
        ("Linear InOut", [new(6, 5), new(5, 7)], (t, v) => t._tape.Linear(v[0], v[1], layout: WeightLayout.InOut)),
        (
            "ResidualLinear",
            [new(2, 3, 5), new(7, 5), new(7), new(2, 3, 7), new(2, 7)],
            (t, v) => t._tape.ResidualLinear(v[0], v[1], v[2], v[3], v[4])
        ),
        (
            "Linear added to",
            [new(2, 3, 5), new(7, 5), new(4, 5), new(7, 4)],
            (t, v) =>
            {
                // A projection with an adapter.
                Var y = t._tape.Linear(v[0], v[1]);
                Var h = t._tape.Linear(v[0], v[2]);
                t._tape.Scale(h, 1.5f);
                t._tape.AddLinear(h, v[3], y);
                return t._tape.Activate(y, Activation.Silu);
            }
        ),
        (
            "Scale",
            [new(6, 5), new(7, 5)],
            (t, v) =>
            {
                Var y = t._tape.Linear(v[0], v[1]);
                t._tape.Scale(y, -0.75f);
                return y;
            }
        ),
        (
            "Activate into columns",
            [new(3, 5)],
            (t, v) =>
            {
                Var all = t._tape.Buffer(new Shape(3, 10));
                t._tape.Activate(v[0], Activation.Silu, t._tape.Columns(all, 5, 5));
                t._tape.Add(v[0], into: t._tape.Columns(all, 0, 5));
                return all;
            }
        ),
        ("Activate", [new(5, 9)], (t, v) => t._tape.Activate(v[0], Activation.GeluTanh)),
        ("Attention", [new(2, 3, 8), new(2, 5, 8), new(2, 5, 8)], (t, v) => t._tape.Attention(v[0], v[1], v[2], 2)),
        ("Attention self causal", [new(2, 5, 8)], (t, v) => t._tape.Attention(v[0], v[0], v[0], 2, causal: true)),
        (
            "Attention of columns",
            [new(2, 5, 24)],
            (t, v) => t._tape.Attention(t._tape.Columns(v[0], 0, 8), t._tape.Columns(v[0], 8, 8), t._tape.Columns(v[0], 16, 8), 2)
        ),
        ("AdaLn", [new(2, 3, 6), new(2, 6), new(2, 6)], (t, v) => t._tape.AdaLn(v[0], v[1], v[2], Epsilon)),
        (
            "AdaLn of columns",
            [new(2, 3, 6), new(2, 18)],
            (t, v) => t._tape.AdaLn(v[0], t._tape.Columns(v[1], 6, 6), t._tape.Columns(v[1], 0, 6), Epsilon)
        ),
        ("RmsNorm", [new(4, 6), new(6)], (t, v) => t._tape.RmsNorm(v[0], v[1], Epsilon)),
        ("LayerNorm", [new(4, 6), new(6), new(6)], (t, v) => t._tape.LayerNorm(v[0], v[1], v[2], Epsilon)),
        ("QkNormRope", [new(2, 2, 8), new(2, 3, 8), new(4)], (t, v) =>
        {
            // Text and image tokens into one sequence, as the joint attention uses it.
            Var all = t._tape.Buffer(new Shape(2, 5, 8));
            (Tensor cos, Tensor sin) = (t.Angles(Math.Cos), t.Angles(Math.Sin));
            t._tape.QkNormRope(v[0], v[2], cos, sin, all, 0, 2, Epsilon);
            t._tape.QkNormRope(v[1], v[2], cos, sin, all, 2, 2, Epsilon);
            return all;
        }),
        ("GateResidual", [new(2, 3, 5), new(2, 3, 5), new(2, 5)], (t, v) => t._tape.GateResidual(v[0], v[1], v[2])),
        ("GateResidual of itself", [new(2, 3, 5), new(2, 5)], (t, v) => t._tape.GateResidual(v[0], v[0], v[1])),
        ("GateResidual without gate", [new(2, 3, 5), new(2, 3, 5)], (t, v) => t._tape.GateResidual(v[0], v[1])),
        ("Add", [new(3, 5), new(3, 5)], (t, v) => t._tape.Add(v[0], v[1])),
        ("Add of itself", [new(3, 5)], (t, v) => t._tape.Add(v[0], v[0])),
        ("Add into columns", [new(3, 5), new(3, 2)], (t, v) =>
        {
            Var all = t._tape.Buffer(new Shape(3, 7));
            t._tape.Add(v[0], into: t._tape.Columns(all, 0, 5));
            t._tape.Add(v[1], into: t._tape.Columns(all, 5, 2));
            return t._tape.Activate(all, Activation.Silu);
        }),
        ("Embedding", [new(7, 5), new(3, 5)], (t, v) => t._tape.Embedding(t.Integers(new Shape(2, 3), [1, 6, 1, 0, 1, 5]), v[0], v[1])),
        ("SpaceToDepth", [new(2, 4, 2, 3)], (t, v) => t._tape.SpaceToDepth(v[0])),
        ("DepthToSpace", [new(2, 2, 1, 12)], (t, v) => t._tape.DepthToSpace(v[0])),
        ("TransposeTokens", [new(2, 3, 5)], (t, v) => t._tape.TransposeTokens(v[0])),
        ("CopyTokens", [new(2, 3, 5), new(2, 4, 5)], (t, v) =>
        {
            Var all = t._tape.Buffer(new Shape(2, 4, 5));
            t._tape.CopyTokens(v[0], 1, all, 0, 2);
            t._tape.CopyTokens(v[1], 0, all, 2, 2);
            return all;
        }),
        ("GatherRows", [new(7, 5)], (t, v) => t._tape.GatherRows(v[0], t.Integers(new Shape(3), [6, 0, 3]))),
        ("DepthwiseConv", [new(2, 3, 5, 4), new(4, 1, 3, 3), new(4)], (t, v) => t._tape.DepthwiseConv(v[0], v[1], v[2])),
        ("AreaMean", [new(2, 4, 6, 3)], (t, v) => t._tape.AreaMean(v[0], 2, 2)),
        ("Reshape", [new(4, 6), new(5, 12)], (t, v) => t._tape.Linear(t._tape.Reshape(v[0], new Shape(2, 12)), v[1])),
        ("Recompute", [new(2, 3, 6), new(2, 18), new(6, 6)], (t, v) =>
        {
            Var[] outputs = new Var[1];
            t._tape.Recompute(new Block(), v, outputs);
            return outputs[0];
        }),
        ("gradients handed on", [new(2, 3, 6), new(2, 3, 6)], (t, v) =>
        {
            // dy of the last sum becomes that of u without a copy; the other users of u have to add to it, and the activation to overwrite it last.
            Var u = t._tape.Activate(v[0], Activation.Silu);
            Var w = t._tape.Add(u, v[1]);
            return t._tape.Add(u, t._tape.GateResidual(w, t._tape.Activate(u, Activation.GeluErf)));
        }),
    ];

    private readonly CpuBackend _backend = new(2);
    private readonly Arena _constants;
    private readonly Arena _activations;
    private readonly Arena _gradients;
    private readonly Tape _tape;

    public TapeTests()
    {
        _constants = _backend.CreateArena("constants", 1 << 20);
        _activations = _backend.CreateArena("activations", 1 << 20);
        _gradients = _backend.CreateArena("gradients", 1 << 20);
        _tape = new Tape(_backend, _activations, _gradients);
    }

    public static TheoryData<string> GraphNames => [.. Graphs.Select(g => g.Name)];

    public void Dispose()
    {
        _constants.Dispose();
        _activations.Dispose();
        _gradients.Dispose();
        _backend.Dispose();
    }

    [Fact]
    public void EveryOperationHasItsRuleItsRowAndItsGraph()
    {
        foreach (Operation operation in Enum.GetValues<Operation>())
        {
            Assert.Equal($"{operation}Rule", GradientRules.Of(operation).Method.Name);
            Assert.Contains(Graphs, g => g.Name.Split(' ')[0] == operation.ToString());
            Assert.True(
                operation == Operation.Recompute || Table.Rows.Any(row => row.Operation == operation.ToString()),
                $"{operation} has no row in the table"
            );
        }
    }

    [Theory]
    [MemberData(nameof(GraphNames))]
    public void GradientsAreSlopesOfTheLoss(string name)
    {
        (_, Shape[] shapes, Func<TapeTests, Var[], Var> build) = Graphs.Single(g => g.Name == name);
        float[][] inputs = [.. shapes.Select((s, i) => Normal(10 + i, (int)s.Count))];
        float[][] gradients = Gradients(shapes, inputs, build);
        for (int i = 0; i < inputs.Length; i++)
        {
            float[] direction = Normal(50 + i, inputs[i].Length);
            double expected = direction.Zip(gradients[i], (d, g) => (double)d * g).Sum();
            double size = Math.Sqrt(direction.Sum(d => (double)d * d)) * Math.Sqrt(gradients[i].Sum(g => (double)g * g));

            // Two step lengths cancel the error of second order, so that the step can be long enough for fp32 values.
            double slope = ((4 * Slope(i, 0.01)) - Slope(i, 0.02)) / 3;
            Assert.True(
                Math.Abs(expected - slope) <= 1e-3 * size,
                $"{name}, input {i}: gradient along a direction {expected:R}, slope of the loss {slope:R}"
            );

            double Slope(int input, double h) => (Loss(Moved(input, h)) - Loss(Moved(input, -h))) / (2 * h);
            float[][] Moved(int input, double h) =>
                [.. inputs.Select((x, j) => j == input ? [.. x.Zip(direction, (a, d) => (float)(a + (h * d)))] : x)];
        }

        double Loss(float[][] values)
        {
            (_, Var y) = Pass(shapes, values, build, recording: true);
            float[] outputs = Read(_tape.Value(y));
            return outputs.Zip(Normal(99, outputs.Length), (a, b) => (double)a * b).Sum();
        }
    }

    [Fact]
    public void RecomputedBlocksHaveTheSameBits()
    {
        Shape[] shapes = [new(2, 3, 6), new(2, 18), new(6, 6)];
        float[][] inputs = [.. shapes.Select((s, i) => Normal(10 + i, (int)s.Count))];
        (float[] Y, float[][] G)[] results = new (float[], float[][])[2];
        for (int k = 0; k < 2; k++)
        {
            bool recompute = k == 1;
            Var Build(TapeTests t, Var[] v)
            {
                Var[] stream = [v[0]];
                for (int block = 0; block < 3; block++)
                {
                    Var[] arguments = [stream[0], v[1], v[2]];
                    if (recompute)
                    {
                        t._tape.Recompute(new Block(), arguments, stream);
                    }
                    else
                    {
                        new Block().Run(t._tape, arguments, stream);
                    }
                }

                return stream[0];
            }

            float[][] gradients = Gradients(shapes, inputs, Build);
            results[k] = (Read(_tape.Value(Pass(shapes, inputs, Build, recording: true).Y)), gradients);
        }

        Assert.Equal(results[0].Y, results[1].Y);
        Assert.Equal(results[0].G, results[1].G);
    }

    [Fact]
    public void InferenceHasTheBitsOfRecording()
    {
        Shape[] shapes = [new(2, 3, 6), new(2, 18), new(6, 6)];
        float[][] inputs = [.. shapes.Select((s, i) => Normal(10 + i, (int)s.Count))];
        float[] recorded = Read(_tape.Value(Pass(shapes, inputs, Once, recording: true).Y));
        Assert.Equal(recorded, Read(_tape.Value(Pass(shapes, inputs, Once, recording: false).Y)));

        static Var Once(TapeTests t, Var[] v)
        {
            Var[] outputs = new Var[1];
            new Block().Run(t._tape, [t._tape.Add(v[0]), v[1], v[2]], outputs);
            return outputs[0];
        }
    }

    [Fact]
    public void FrozenParametersGetNoGradientAndChangeNoOther()
    {
        float[][] inputs = [Normal(1, 30), Normal(2, 35), Normal(3, 7)];
        float[][] dx = new float[2][];
        for (int k = 0; k < 2; k++)
        {
            using ParameterStore store = new(_backend, ElementType.Float32);
            Parameter weight = store.Declare("weight", new Shape(7, 5)), bias = store.Declare("bias", new Shape(7));
            store.Seal();
            _backend.Upload<float>(inputs[1], weight.Value);
            _backend.Upload<float>(inputs[2], bias.Value);
            if (k == 1)
            {
                store.EnableGradients();
            }

            _tape.Begin(recording: true);
            Var x = _tape.Input(Upload(new Shape(6, 5), inputs[0])), w = _tape.Parameter(weight);
            Var y = _tape.Linear(x, w, _tape.Parameter(bias), Activation.Silu);
            _tape.Seed(y, Upload(new Shape(6, 7), Normal(4, 42)));
            _tape.Backward();
            dx[k] = Read(_tape.Gradient(x));
            Assert.Equal(k == 0, _tape.Gradient(w).IsNone);
            Assert.Equal(k == 0, weight.Gradient.IsNone);
            Assert.True(k == 0 || Read(weight.Gradient).Any(g => g != 0));
        }

        Assert.Equal(dx[0], dx[1]);
    }

    private static float[] Normal(int seed, int count)
    {
        Random random = new(seed);
        return
        [
            .. Enumerable
                .Range(0, count)
                .Select(_ => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()))),
        ];
    }

    private (Var[] X, Var Y) Pass(Shape[] shapes, float[][] inputs, Func<TapeTests, Var[], Var> build, bool recording)
    {
        _tape.Begin(recording);
        Var[] x = [.. inputs.Select((values, i) => _tape.Input(Upload(shapes[i], values)))];
        return (x, _tape.Add(build(this, x), build(this, x)));
    }

    private float[][] Gradients(Shape[] shapes, float[][] inputs, Func<TapeTests, Var[], Var> build)
    {
        (Var[] x, Var y) = Pass(shapes, inputs, build, recording: true);
        Shape shape = _tape.Value(y).Shape;
        _tape.Seed(y, Upload(shape, Normal(99, (int)shape.Count)));
        _tape.Backward();
        return [.. x.Select(v => Read(_tape.Gradient(v)))];
    }

    private Tensor Upload(Shape shape, float[] values)
    {
        Tensor tensor = _constants.Allocate(shape);
        _backend.Upload<float>(values, tensor);
        return tensor;
    }

    private Tensor Integers(Shape shape, int[] values)
    {
        Tensor tensor = _constants.Allocate(shape, ElementType.Int32);
        _backend.Upload<int>(values, tensor);
        return tensor;
    }

    private Tensor Angles(Func<double, double> function) =>
        Upload(new Shape(5, 2), [.. Enumerable.Range(0, 10).Select(i => (float)function(0.7 * i))]);

    private float[] Read(Tensor tensor)
    {
        float[] values = new float[tensor.Shape.Count];
        _backend.Download<float>(tensor, values);
        return values;
    }

    /// <summary>A residual block under a modulation vector: one stream, two conditions.</summary>
    private sealed class Block : ITapeSegment
    {
        public void Run(Tape tape, ReadOnlySpan<Var> inputs, Span<Var> outputs)
        {
            Var modulation = inputs[1];
            Var normalized = tape.AdaLn(inputs[0], tape.Columns(modulation, 0, 6), tape.Columns(modulation, 6, 6), Epsilon);
            Var branch = tape.Activate(tape.Linear(normalized, inputs[2]), Activation.GeluErf);
            outputs[0] = tape.GateResidual(inputs[0], branch, tape.Columns(modulation, 12, 6));
        }
    }
}
