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

    [Theory]
    [MemberData(nameof(Cases))]
    public void HalfPrecisionOnAmpere(string folder)
    {
        using var scope = new ModelScope(EmulatedGpu.Backend(ElementType.BFloat16));
        using var model = new VqParity(scope, folder);
        int[] codes = model.Encode();
        model.Decode(model.GoldenCodes(), "decoded");
        model.Decode(model.RandomCodes(), "decoded_random");
        output.WriteLine($"codes differ {codes.Zip(model.GoldenCodes()).Count(p => p.First != p.Second)} of {codes.Length}");
        foreach (string name in model.GoldenNames.Where(model.Seen.ContainsKey))
        {
            double[] golden = model.Golden(name), got = model.Seen[name];
            double e = Math.Sqrt(golden.Zip(got).Sum(p => Math.Pow(p.First - p.Second, 2)) / golden.Sum(x => x * x));
            output.WriteLine($"{name} {e:e2}");
        }
    }
}
