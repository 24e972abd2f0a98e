using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Tests.Emulator;

/// <summary>
/// The mathematical functions of CUDA C++, fp32 and fp64, which the compiler expands into polynomials, tables and slow paths with calls and local
/// memory.
/// </summary>
public class SampleMathTests
{
    private static readonly double[] Points =
    [
        0.0,
        -0.0,
        1e-300,
        1e-10,
        0.1,
        0.5,
        0.99,
        1.0,
        1.5,
        2.0,
        3.14159265,
        10.0,
        100.25,
        1e5,
        1e8,
        1e15,
        -0.3,
        -1.0,
        -2.5,
        -700.0,
        700.0,
        710.0,
        1e300,
        double.PositiveInfinity,
        double.NegativeInfinity,
        double.NaN,
    ];

    public static TheoryData<string, double> Functions =>
        new()
        {
            { "sin", 2 },
            { "cos", 2 },
            { "tan", 2 },
            { "asin", 2 },
            { "acos", 2 },
            { "atan", 2 },
            { "exp", 1 },
            { "exp2", 1 },
            { "log", 1 },
            { "log2", 2 },
            { "log10", 2 },
            { "sqrt", 0 },
            { "cbrt", 1 },
            { "sinh", 2 },
            { "cosh", 1 },
            { "tanh", 2 },
            { "floor", 0 },
            { "ceil", 0 },
            { "trunc", 0 },
            { "rint", 0 },
            { "fabs", 0 },
        };

    [Theory]
    [MemberData(nameof(Functions))]
    public void Fp64(string name, double ulps)
    {
        using DeviceProgram program = new($$"""
            extern "C" __global__ void f(const double* x, double* y, int n) { int i = threadIdx.x + blockIdx.x * blockDim.x; if (i < n) y[i] = {{name}}(x[i]); }
            """);
        CudaDeviceMemory result = program.Allocate<double>(Points.Length);
        program.Launch("f", 1, 64, program.Upload(Points), result, Points.Length);
        double[] got = program.Read<double>(result);
        Func<double, double> reference = Reference(name);
        for (int i = 0; i < Points.Length; i++)
        {
            double wanted = reference(Points[i]);
            double allowed = (ulps + 1) * (Math.BitIncrement(Math.Abs(wanted)) - Math.Abs(wanted));
            Assert.True(
                double.IsNaN(wanted) ? double.IsNaN(got[i]) : wanted == got[i] || Math.Abs(got[i] - wanted) <= allowed,
                $"{name}({Points[i]:R}): wanted {wanted:R}, got {got[i]:R}"
            );
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Fp32(bool fast)
    {
        string[] names = ["sin", "cos", "exp", "log", "sqrt", "tanh", "floor"];
        string calls = string.Concat(names.Select((name, i) => $"y[{i} * n + i] = {name}f(x[i]);"));
        using DeviceProgram program = new(
            $$"""extern "C" __global__ void f(const float* x, float* y, int n) { int i = threadIdx.x; if (i < n) { {{calls}} } }""",
            compilerOptions: fast ? ["-use_fast_math"] : []
        );
        float[] points = [0.01f, 0.2f, 0.9f, 1f, 1.5f, 3f, 7.3f, 20f, 85f, -0.5f, -3f, -50f];
        CudaDeviceMemory result = program.Allocate<float>(points.Length * names.Length);
        program.Launch("f", 1, 32, program.Upload(points), result, points.Length);
        float[] got = program.Read<float>(result);
        for (int f = 0; f < names.Length; f++)
        {
            for (int i = 0; i < points.Length; i++)
            {
                double wanted = Reference(names[f])(points[i]);
                double scale = fast && names[f] is "sin" or "cos" ? 1 : Math.Abs(wanted);
                double tolerance = fast ? 2e-5 : 4e-7;
                Assert.True(
                    double.IsNaN(wanted)
                        ? float.IsNaN(got[(f * points.Length) + i])
                        : Math.Abs(got[(f * points.Length) + i] - wanted) <= (tolerance * scale) + 1e-30,
                    $"{names[f]}f({points[i]}): wanted {wanted}, got {got[(f * points.Length) + i]}"
                );
            }
        }
    }

    [Fact]
    public void Pow()
    {
        using DeviceProgram program = new("""extern "C" __global__ void f(const double* x, const double* y, double* z, int n) { int i = threadIdx.x; if (i < n) z[i] = pow(x[i], y[i]); }""");
        double[] x = [2, 2, 0.5, 10, -2, -2, 3.7, 1e-5, 1.0000001, 0, -0.0, -8, 1, double.NaN];
        double[] y = [10, -3, 0.5, 2.5, 3, 2.5, -7.25, 60, 1e7, 3, -3, 1.0 / 3, double.NaN, 0];
        CudaDeviceMemory result = program.Allocate<double>(x.Length);
        program.Launch("f", 1, 32, program.Upload(x), program.Upload(y), result, x.Length);
        double[] got = program.Read<double>(result);
        for (int i = 0; i < x.Length; i++)
        {
            double wanted = Math.Pow(x[i], y[i]);
            Assert.True(
                double.IsNaN(wanted) ? double.IsNaN(got[i]) : wanted == got[i] || Math.Abs(got[i] - wanted) <= 1e-15 * Math.Abs(wanted),
                $"pow({x[i]}, {y[i]}): wanted {wanted:R}, got {got[i]:R}"
            );
        }
    }

    private static Func<double, double> Reference(string name) =>
        name switch
        {
            "sin" => Math.Sin,
            "cos" => Math.Cos,
            "tan" => Math.Tan,
            "asin" => Math.Asin,
            "acos" => Math.Acos,
            "atan" => Math.Atan,
            "exp" => Math.Exp,
            "exp2" => x => Math.Pow(2, x),
            "log" => Math.Log,
            "log2" => Math.Log2,
            "log10" => Math.Log10,
            "sqrt" => Math.Sqrt,
            "cbrt" => Math.Cbrt,
            "sinh" => Math.Sinh,
            "cosh" => Math.Cosh,
            "tanh" => Math.Tanh,
            "floor" => Math.Floor,
            "ceil" => Math.Ceiling,
            "trunc" => Math.Truncate,
            "rint" => x => Math.Round(x, MidpointRounding.ToEven),
            "fabs" => Math.Abs,
            _ => throw new ArgumentOutOfRangeException(nameof(name)),
        };
}
