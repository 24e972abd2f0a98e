using CoGrpo.Runtime;
using CoGrpo.Tests.Fixtures;
using CoGrpo.Tests.Model;
using Xunit.Abstractions;

namespace CoGrpo.Tests.Cuda;

/// <summary>The golden cases of the picture model through the kernels.</summary>
[Trait("Category", "fixtures")]
public sealed class CudaVqParityTests(ITestOutputHelper output)
{
    public static TheoryData<string> Cases => VqModelParityTests.Cases;

    [Theory]
    [MemberData(nameof(Cases))]
    public void FullPrecisionOnTuring(string folder)
    {
        using var scope = new ModelScope(EmulatedGpu.Backend(architecture: 75));
        VqModelParityTests.Check(scope, folder);
    }

    /// <summary>
    /// There are no golden errors in bf16. A value is rounded some thirty times on its way, by 2^-9 of itself at most: five such errors are more than
    /// they add up to at random and less than what one wrong tap or statistic costs.
    /// </summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void HalfPrecisionOnAmpere(string folder)
    {
        const double Allowed = 5 / 256.0;
        using var scope = new ModelScope(EmulatedGpu.Backend(ElementType.BFloat16));
        using var model = new VqParity(scope, folder);
        int[] codes = model.Encode();
        Assert.InRange(codes.Zip(model.GoldenCodes()).Count(pair => pair.First == pair.Second), 0.95 * codes.Length, codes.Length);
        model.Decode(model.RandomCodes(), "decoded_random");
        model.Decode(model.GoldenCodes(), "decoded");
        string[] compared = [.. model.GoldenNames.Where(model.Seen.ContainsKey).Except(["distance_gap"])];
        Assert.Contains("latents", compared);
        Assert.Contains("decoded", compared);
        foreach (string name in compared)
        {
            double[] golden = model.Golden(name), got = model.Seen[name];
            double error = Math.Sqrt(golden.Zip(got).Sum(pair => Math.Pow(pair.First - pair.Second, 2)) / golden.Sum(x => x * x));
            output.WriteLine($"{name}: {error:e2} of its root mean square");
            Assert.True(error <= Allowed, $"{name}: {error:e2} of its root mean square, wanted at most {Allowed:e2}");
        }
    }
}
