using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends.Cpu;

namespace CoGrpo.Tests.Runtime;

/// <summary>Query-key RMS norm with rotation against its formula in fp64.</summary>
public sealed class QkNormRopeTests
{
    private const float Epsilon = 1e-6f;

    public static TheoryData<int, int, int, int, int, int> Cases => new()
    {
        // images, length, tokens, first row, heads, width
        { 1, 1, 1, 0, 1, 4 },
        { 2, 7, 9, 2, 3, 4 },
        { 2, 8, 72, 0, 4, 32 },
        { 3, 64, 72, 8, 4, 32 },
        { 1, 77, 130, 53, 2, 80 },
        { 1, 130, 130, 0, 2, 128 },
        { 2, 33, 40, 5, 1, 22 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Forward_and_backward_agree_with_fp64(int images, int length, int tokens, int firstRow, int heads, int width)
    {
        using Run run = new(images, length, tokens, firstRow, heads, width, threads: 2);
        run.Forward();
        double[] y = run.Formula(run.Values(run.X), run.Values(run.Weight));
        float[] got = run.Read(run.Y);
        int channels = heads * width;
        for (int i = 0; i < got.Length; i++)
        {
            int token = i / channels % tokens;
            if (token < firstRow || token >= firstRow + length)
            {
                Assert.True(float.IsNaN(got[i]), "a row outside the range was written");
            }
            else
            {
                Assert.Equal(y[i], got[i], 4e-6);
            }
        }

        run.Backward();
        (double[] dx, double[] dweight) = run.Gradients();
        AssertClose(dx, run.Read(run.DX), 2e-6);
        AssertClose([.. dweight.Select(x => x + 1)], run.Read(run.DWeight), 2e-6);
    }

    [Fact]
    public void Gradients_of_the_formula_are_its_central_differences()
    {
        using Run run = new(2, 3, 5, 1, 2, 6, threads: 1);
        run.Forward();
        (double[] dx, double[] dweight) = run.Gradients();
        double[] x = run.Values(run.X), w = run.Values(run.Weight), dy = run.Values(run.DY);
        foreach ((double[] moved, double[] gradient) in new[] { (x, dx), (w, dweight) })
        {
            for (int i = 0; i < moved.Length; i++)
            {
                double kept = moved[i];
                moved[i] = kept + 1e-5;
                double up = Loss();
                moved[i] = kept - 1e-5;
                double down = Loss();
                moved[i] = kept;
                Assert.Equal((up - down) / 2e-5, gradient[i], 1e-7);
            }
        }

        double Loss() => run.Formula(x, w).Zip(dy, (a, b) => a * b).Sum();
    }

    [Theory]
    [InlineData(3, 70, 72, 2, 4, 32)]
    [InlineData(2, 17, 20, 1, 3, 6)]
    public void Bits_do_not_depend_on_threads_batch_or_strides(int images, int length, int tokens, int firstRow, int heads, int width)
    {
        using Run whole = new(images, length, tokens, firstRow, heads, width, threads: 1);
        whole.Forward();
        whole.Backward();
        foreach (int threads in (ReadOnlySpan<int>)[2, 3])
        {
            using Run other = new(images, length, tokens, firstRow, heads, width, threads, gap: 3 * (threads - 2));
            other.Forward();
            other.Backward();
            Assert.Equal(whole.Read(whole.Y), other.Read(other.Y));
            Assert.Equal(whole.Read(whole.DX), other.Read(other.DX));
            Assert.Equal(whole.Read(whole.DWeight), other.Read(other.DWeight));
        }

        using Run split = new(images, length, tokens, firstRow, heads, width, threads: 2);
        split.ForwardAndBackwardImageByImage();
        Assert.Equal(whole.Read(whole.Y), split.Read(split.Y));
        Assert.Equal(whole.Read(whole.DX), split.Read(split.DX));
        Assert.Equal(whole.Read(whole.DWeight), split.Read(split.DWeight));
    }

    [Fact]
    public void Weight_gradient_may_be_left_out()
    {
        using Run run = new(2, 8, 8, 0, 2, 32, threads: 2);
        run.Forward();
        run.Backward();
        float[] dx = run.Read(run.DX);
        run.Backend.QkNormRopeBackward(run.DY, run.X, run.Weight, run.Cos, run.Sin, run.Rstd, 0, run.DX, default, 2);
        Assert.Equal(dx, run.Read(run.DX));
    }

    [Fact]
    public void Calls_allocate_nothing()
    {
        using Run run = new(2, 64, 72, 8, 4, 32, threads: 2);
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
        using Run run = new(1, 8, 8, 0, 2, 4, threads: 1);
        TensorException error = Assert.Throws<TensorException>(
            () => run.Backend.QkNormRope(run.X, run.Weight, run.Cos, run.Sin, run.Y, 1, run.Rstd, 2, Epsilon));
        Assert.StartsWith("y:", error.Message);
        error = Assert.Throws<TensorException>(() => run.Backend.QkNormRope(run.X, run.Weight, run.Cos, run.Sin, run.Y, 0, run.Rstd, 8, Epsilon));
        Assert.StartsWith("x:", error.Message);
    }

    private static void AssertClose(double[] truth, float[] got, double tolerance)
    {
        double scale = Math.Max(1, truth.Max(Math.Abs));
        for (int i = 0; i < truth.Length; i++)
        {
            Assert.Equal(truth[i], got[i], tolerance * scale);
        }
    }

    /// <summary>The tensors of one call; outputs start as NaN, the weight gradient as 1.</summary>
    private sealed class Run : IDisposable
    {
        private readonly Arena _arena;
        private readonly int _images, _length, _tokens, _firstRow, _heads, _width;

        public Run(int images, int length, int tokens, int firstRow, int heads, int width, int threads, int gap = 0)
        {
            (_images, _length, _tokens, _firstRow, _heads, _width) = (images, length, tokens, firstRow, heads, width);
            Backend = new CpuBackend(threads);
            _arena = Backend.CreateArena("test", 1 << 20);
            Random random = new(5);
            int channels = heads * width;
            X = Make(new Shape(images, length, channels + gap), () => (float)((random.NextDouble() * 4) - 2), channels);
            Weight = Make(new Shape(width), () => (float)random.NextDouble() + 0.5f, width);
            double[] angles = [.. Enumerable.Range(0, tokens * width / 2).Select(_ => random.NextDouble() * 6)];
            int c = 0, s = 0;
            Cos = Make(new Shape(tokens, width / 2), () => (float)Math.Cos(angles[c++]), width / 2);
            Sin = Make(new Shape(tokens, width / 2), () => (float)Math.Sin(angles[s++]), width / 2);
            DY = Make(new Shape(images, tokens, channels + gap), () => (float)((random.NextDouble() * 2) - 1), channels);
            Y = Make(new Shape(images, tokens, channels + gap), () => float.NaN, channels);
            DX = Make(new Shape(images, length, channels + gap), () => float.NaN, channels);
            Rstd = Make(new Shape(images * length, heads), () => float.NaN, heads);
            DWeight = Make(new Shape(width), () => 1f, width);
        }

        public CpuBackend Backend { get; }

        public Tensor X { get; }

        public Tensor Weight { get; }

        public Tensor Cos { get; }

        public Tensor Sin { get; }

        public Tensor Y { get; }

        public Tensor DY { get; }

        public Tensor DX { get; }

        public Tensor Rstd { get; }

        public Tensor DWeight { get; }

        public void Forward() => Backend.QkNormRope(X, Weight, Cos, Sin, Y, _firstRow, Rstd, _heads, Epsilon);

        public void Backward() => Backend.QkNormRopeBackward(DY, X, Weight, Cos, Sin, Rstd, _firstRow, DX, DWeight, _heads);

        public void ForwardAndBackwardImageByImage()
        {
            for (int b = 0; b < _images; b++)
            {
                Tensor x = Image(X, b), dx = Image(DX, b), rstd = Rstd.RowRange(b * _length, _length);
                Backend.QkNormRope(x, Weight, Cos, Sin, Image(Y, b), _firstRow, rstd, _heads, Epsilon);
                Backend.QkNormRopeBackward(Image(DY, b), x, Weight, Cos, Sin, rstd, _firstRow, dx, DWeight, _heads);
            }
        }

        public float[] Read(Tensor x)
        {
            float[] values = new float[x.Shape.Count];
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = Element(x, i);
            }

            return values;
        }

        public double[] Values(Tensor x) => Array.ConvertAll(Read(x), value => (double)value);

        /// <summary>y in fp64, 0 in rows outside the range.</summary>
        public double[] Formula(double[] x, double[] weight)
        {
            double[] cos = Values(Cos), sin = Values(Sin), y = new double[_images * _tokens * _heads * _width];
            ForEachHead((xAt, yAt, angleAt) =>
            {
                double r = 1 / Math.Sqrt(x.AsSpan(xAt, _width).ToArray().Average(v => v * v) + Epsilon);
                for (int j = 0; j < _width / 2; j++)
                {
                    double a = x[xAt + (2 * j)] * r * weight[2 * j], b = x[xAt + (2 * j) + 1] * r * weight[(2 * j) + 1];
                    y[yAt + (2 * j)] = (a * cos[angleAt + j]) - (b * sin[angleAt + j]);
                    y[yAt + (2 * j) + 1] = (b * cos[angleAt + j]) + (a * sin[angleAt + j]);
                }
            });
            return y;
        }

        public (double[] DX, double[] DWeight) Gradients()
        {
            double[] x = Values(X), weight = Values(Weight), cos = Values(Cos), sin = Values(Sin), dy = Values(DY);
            double[] dx = new double[x.Length], dweight = new double[_width];
            double[] dn = new double[_width];
            ForEachHead((xAt, yAt, angleAt) =>
            {
                double r = 1 / Math.Sqrt(x.AsSpan(xAt, _width).ToArray().Average(v => v * v) + Epsilon);
                double dot = 0;
                for (int d = 0; d < _width; d++)
                {
                    double c = cos[angleAt + (d / 2)], s = sin[angleAt + (d / 2)];
                    dn[d] = d % 2 == 0 ? (dy[yAt + d] * c) + (dy[yAt + d + 1] * s) : (dy[yAt + d] * c) - (dy[yAt + d - 1] * s);
                    dweight[d] += dn[d] * x[xAt + d] * r;
                    dot += dn[d] * weight[d] * x[xAt + d];
                }

                for (int d = 0; d < _width; d++)
                {
                    dx[xAt + d] = (r * dn[d] * weight[d]) - (r * r * r * x[xAt + d] * dot / _width);
                }
            });
            return (dx, dweight);
        }

        public void Dispose()
        {
            _arena.Dispose();
            Backend.Dispose();
        }

        private static unsafe ref float Element(Tensor x, int index) =>
            ref ((float*)x.Address)[((nint)(index / x.Columns) * x.RowStride) + (index % x.Columns)];

        private static Tensor Image(Tensor x, int image) => new(
            x.Address + ((nint)image * x.Shape[1] * x.RowStride * sizeof(float)), new Shape(1, x.Shape[1], x.Columns), x.Type, x.RowStride);

        private void ForEachHead(Action<int, int, int> action)
        {
            for (int row = 0; row < _images * _length; row++)
            {
                int token = _firstRow + (row % _length);
                for (int h = 0; h < _heads; h++)
                {
                    int y = (((row / _length * _tokens) + token) * _heads * _width) + (h * _width);
                    action((row * _heads * _width) + (h * _width), y, token * _width / 2);
                }
            }
        }

        private Tensor Make(Shape shape, Func<float> value, int columns)
        {
            Tensor view = _arena.Allocate(shape).ColumnRange(0, columns);
            for (int i = 0; i < view.Shape.Count; i++)
            {
                Element(view, i) = value();
            }

            return view;
        }
    }
}
