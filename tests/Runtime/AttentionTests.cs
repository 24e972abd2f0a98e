using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends.Cpu;

namespace CoGrpo.Tests.Runtime;

/// <summary>Attention on the CPU against its formula in fp64, and the promises that do not show in one result: bits, strides, overwriting.</summary>
public sealed class AttentionTests
{
    public static TheoryData<int, int, int, int, int, bool> Cases => new()
    {
        // images, queries, keys, heads, width, causal
        { 1, 1, 1, 1, 4, false },
        { 1, 1, 1, 1, 4, true },
        { 2, 7, 7, 3, 4, false },
        { 2, 7, 7, 3, 4, true },
        { 2, 8, 8, 2, 64, true },
        { 3, 72, 72, 4, 32, false },
        { 1, 77, 77, 2, 64, true },
        { 1, 77, 77, 1, 80, false },
        { 1, 130, 130, 2, 128, false },
        { 2, 130, 130, 1, 32, true },
        { 1, 130, 130, 1, 80, true },
        { 1, 261, 261, 1, 20, false },
        { 1, 300, 300, 1, 16, true },
        { 1, 5, 290, 2, 36, false },
        { 1, 200, 3, 2, 7, false },
        { 1, 33, 33, 1, 160, false },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Forward_is_at_most_twice_as_wrong_as_the_plain_form(int images, int queries, int keys, int heads, int width, bool causal)
    {
        using Run run = new(images, queries, keys, heads, width, causal, threads: 2);
        run.Forward();
        (AttentionReference<double> truth, AttentionReference<float> plain) = run.References();
        AssertError(truth.O, plain.O, Run.Read(run.O), 2);
        AssertError(truth.LogSumExp, plain.LogSumExp, Run.Read(run.LogSumExp), 2);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Backward_is_at_most_three_times_as_wrong_as_the_plain_form(int images, int queries, int keys, int heads, int width, bool causal)
    {
        using Run run = new(images, queries, keys, heads, width, causal, threads: 2);
        run.Forward();
        run.Backward();
        (AttentionReference<double> truth, AttentionReference<float> plain) = run.References();
        AssertError(truth.DQ, plain.DQ, Run.Read(run.DQ), 3);
        AssertError(truth.DK, plain.DK, Run.Read(run.DK), 3);
        AssertError(truth.DV, plain.DV, Run.Read(run.DV), 3);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Gradients_of_the_formula_are_its_central_differences(bool causal)
    {
        const int Images = 1, Tokens = 5, Heads = 2, Width = 4;
        Random random = new(3);
        double[][] inputs =
        [
            .. Enumerable.Range(0, 4).Select(_ => Enumerable.Range(0, Tokens * Heads * Width).Select(_ => random.NextDouble() - 0.5).ToArray()),
        ];
        AttentionReference<double> truth = new(Images, Tokens, Tokens, Heads, Width, causal);
        truth.Run(inputs[0], inputs[1], inputs[2], inputs[3]);
        double Loss()
        {
            AttentionReference<double> moved = new(Images, Tokens, Tokens, Heads, Width, causal);
            moved.Run(inputs[0], inputs[1], inputs[2]);
            return moved.O.Zip(inputs[3], (o, g) => o * g).Sum();
        }

        double[][] gradients = [truth.DQ, truth.DK, truth.DV];
        for (int t = 0; t < 3; t++)
        {
            for (int i = 0; i < inputs[t].Length; i++)
            {
                double kept = inputs[t][i];
                inputs[t][i] = kept + 1e-5;
                double up = Loss();
                inputs[t][i] = kept - 1e-5;
                double down = Loss();
                inputs[t][i] = kept;
                Assert.Equal((up - down) / 2e-5, gradients[t][i], 1e-8);
            }
        }
    }

    [Theory]
    [InlineData(5, 72, 4, 32, false)]
    [InlineData(2, 130, 1, 20, true)]
    [InlineData(1, 300, 1, 64, false)]
    [InlineData(1, 300, 1, 64, true)]
    public void Bits_do_not_depend_on_threads(int images, int tokens, int heads, int width, bool causal)
    {
        float[][]? first = null;
        foreach (int threads in (ReadOnlySpan<int>)[1, 2, 3, 7])
        {
            using Run run = new(images, tokens, tokens, heads, width, causal, threads);
            run.Forward();
            run.Backward();
            float[][] results = run.Results();
            first ??= results;
            Assert.All(results.Zip(first), pair => AssertBits(pair.Second, pair.First));
        }
    }

    [Theory]
    [InlineData(72, 4, 32, false)]
    [InlineData(133, 2, 12, true)]
    public void Bits_of_an_image_do_not_depend_on_the_batch(int tokens, int heads, int width, bool causal)
    {
        const int Images = 4;
        using Run whole = new(Images, tokens, tokens, heads, width, causal, threads: 2);
        whole.Forward();
        whole.Backward();
        float[][] expected = whole.Results();
        for (int image = 0; image < Images; image++)
        {
            using Run single = new(1, tokens, tokens, heads, width, causal, threads: 3, source: whole, sourceImage: image);
            single.Forward();
            single.Backward();
            foreach ((float[] all, float[] one) in expected.Zip(single.Results()))
            {
                AssertBits(all.AsSpan(image * one.Length, one.Length).ToArray(), one);
            }
        }
    }

    [Theory]
    [InlineData(2, 72, 4, 32, false)]
    [InlineData(1, 131, 2, 20, true)]
    public void Strided_views_give_the_same_bits_and_leave_the_rest_alone(int images, int tokens, int heads, int width, bool causal)
    {
        using Run dense = new(images, tokens, tokens, heads, width, causal, threads: 2);
        dense.Forward();
        dense.Backward();
        using Run strided = new(images, tokens, tokens, heads, width, causal, threads: 2, source: dense, gap: 5);
        strided.Forward();
        strided.Backward();
        Assert.All(dense.Results().Zip(strided.Results()), pair => AssertBits(pair.First, pair.Second));
        Assert.True(strided.GapsUntouched());
    }

    [Fact]
    public void Large_scores_stay_finite()
    {
        using Run run = new(1, 140, 140, 1, 32, false, threads: 1, magnitude: 60f);
        run.Forward();
        run.Backward();
        Assert.All(run.Results(), values => Assert.All(values, x => Assert.True(float.IsFinite(x))));
    }

    [Fact]
    public void Without_log_sum_exp_the_output_is_the_same()
    {
        using Run run = new(2, 72, 72, 4, 32, false, threads: 2);
        run.Forward();
        float[] with = Run.Read(run.O);
        run.Backend.Attention(run.Q, run.K, run.V, run.O, default, 4, false);
        AssertBits(with, Run.Read(run.O));
    }

    [Fact]
    public void Calls_allocate_nothing()
    {
        using Run run = new(2, 72, 72, 4, 32, false, threads: 2);
        run.Forward();
        run.Backward();
        long before = GC.GetAllocatedBytesForCurrentThread();
        run.Forward();
        run.Backward();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Wrong_shapes_are_named()
    {
        using Run run = new(2, 8, 9, 2, 4, false, threads: 1);
        TensorException error = Assert.Throws<TensorException>(() => run.Backend.Attention(run.Q, run.K, run.V, run.O, default, 3, false));
        Assert.StartsWith("q:", error.Message);
        error = Assert.Throws<TensorException>(() => run.Backend.Attention(run.Q, run.K, run.V, run.O, default, 2, true));
        Assert.StartsWith("k:", error.Message);
        error = Assert.Throws<TensorException>(() =>
            run.Backend.AttentionBackward(run.DO, run.Q, run.K, run.V, run.O, default, run.DQ, run.DK, run.DV, 2, false)
        );
        Assert.StartsWith("logSumExp:", error.Message);
    }

    private static void AssertError(double[] truth, float[] plain, float[] got, double factor)
    {
        double largest = truth.Max(Math.Abs);
        double plainError = truth.Zip(plain, (t, p) => Math.Abs(t - p)).Max();
        double error = truth.Zip(got, (t, g) => double.IsNaN(g) ? double.PositiveInfinity : Math.Abs(t - g)).Max();

        // Half a unit in the last place is no error of the method: it counts when the plain form happens to be exact.
        double bound = factor * Math.Max(plainError, largest * Math.Pow(2, -23));
        Assert.True(error <= bound, $"error {error:e2} of {largest:e2}, plain form {plainError:e2}");
    }

    private static void AssertBits(float[] expected, float[] got) =>
        Assert.True(expected.AsSpan().SequenceEqual(got) && !expected.Any(float.IsNaN), "bits differ");

    /// <summary>The tensors of one attention call; every output starts as NaN.</summary>
    private sealed class Run : IDisposable
    {
        private readonly Arena _arena;
        private readonly int _images, _queries, _keys, _heads, _width, _gap;
        private readonly bool _causal;
        private readonly List<Tensor> _buffers = [];

        public Run(
            int images,
            int queries,
            int keys,
            int heads,
            int width,
            bool causal,
            int threads,
            Run? source = null,
            int sourceImage = 0,
            int gap = 0,
            float magnitude = 1f
        )
        {
            (_images, _queries, _keys, _heads, _width, _causal, _gap) = (images, queries, keys, heads, width, causal, gap);
            Backend = new CpuBackend(threads);
            _arena = Backend.CreateArena("test", 1 << 20);
            Random random = new(11);
            Q = Make(queries);
            K = Make(keys);
            V = Make(keys);
            DO = Make(queries);
            O = Make(queries);
            DQ = Make(queries);
            DK = Make(keys);
            DV = Make(keys);
            LogSumExp = _arena.Allocate(new Shape(images, heads, queries));
            Poison(LogSumExp);
            Tensor[] from = source is null ? [] : [source.Q, source.K, source.V, source.DO];
            Tensor[] inputs = [Q, K, V, DO];
            for (int t = 0; t < inputs.Length; t++)
            {
                float[]? copied = source is null ? null : Read(from[t]);
                int count = inputs[t].Rows * inputs[t].Columns;
                for (int i = 0; i < count; i++)
                {
                    float value = copied is null ? magnitude * (float)((random.NextDouble() * 4) - 2) : copied[(sourceImage * count) + i];
                    Element(inputs[t], i) = value;
                }
            }
        }

        public CpuBackend Backend { get; }

        public Tensor Q { get; }

        public Tensor K { get; }

        public Tensor V { get; }

        public Tensor O { get; }

        public Tensor DO { get; }

        public Tensor DQ { get; }

        public Tensor DK { get; }

        public Tensor DV { get; }

        public Tensor LogSumExp { get; }

        public static float[] Read(Tensor x)
        {
            float[] values = new float[x.Shape.Count];
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = Element(x, i);
            }

            return values;
        }

        public void Forward() => Backend.Attention(Q, K, V, O, LogSumExp, _heads, _causal);

        public void Backward() => Backend.AttentionBackward(DO, Q, K, V, O, LogSumExp, DQ, DK, DV, _heads, _causal);

        public float[][] Results() => [Read(O), Read(LogSumExp), Read(DQ), Read(DK), Read(DV)];

        public (AttentionReference<double> Truth, AttentionReference<float> Plain) References()
        {
            AttentionReference<double> truth = new(_images, _queries, _keys, _heads, _width, _causal);
            AttentionReference<float> plain = new(_images, _queries, _keys, _heads, _width, _causal);
            float[][] x = [Read(Q), Read(K), Read(V), Read(DO)];
            plain.Run(x[0], x[1], x[2], x[3]);
            double[][] y = [.. x.Select(values => Array.ConvertAll(values, value => (double)value))];
            truth.Run(y[0], y[1], y[2], y[3]);
            return (truth, plain);
        }

        public bool GapsUntouched()
        {
            foreach (Tensor buffer in _buffers)
            {
                float[] values = Read(buffer);
                for (int i = 0; i < values.Length; i++)
                {
                    int column = i % buffer.Columns;
                    if ((column < _gap || column >= buffer.Columns - _gap) && !float.IsNaN(values[i]))
                    {
                        return false;
                    }
                }
            }

            return true;
        }

        public void Dispose()
        {
            _arena.Dispose();
            Backend.Dispose();
        }

        private static unsafe ref float Element(Tensor x, int index) =>
            ref ((float*)x.Address)[((nint)(index / x.Columns) * x.RowStride) + (index % x.Columns)];

        private Tensor Make(int rows)
        {
            int columns = _heads * _width;
            Tensor buffer = _arena.Allocate(new Shape(_images, rows, columns + (2 * _gap)));
            Poison(buffer);
            _buffers.Add(buffer);
            return buffer.ColumnRange(_gap, columns);
        }

        private static void Poison(Tensor x)
        {
            for (int i = 0; i < x.Shape.Count; i++)
            {
                Element(x, i) = float.NaN;
            }
        }
    }
}
