using CoGrpo.Model.Clip;
using CoGrpo.Model.Rewards;
using CoGrpo.Runtime;
using CoGrpo.Tests.Fixtures;
using CoGrpo.Tests.Model;
using Xunit.Abstractions;

namespace CoGrpo.Tests.Cuda;

/// <summary>The golden cases of the reward networks through the kernels.</summary>
[Trait("Category", "fixtures")]
public sealed class CudaRewardParityTests(ITestOutputHelper output)
{
    public static TheoryData<string> ClipCases => ClipParity.Cases;

    public static TheoryData<string> ImageRewardCases => ImageRewardParity.Cases;

    [Theory]
    [MemberData(nameof(ClipCases))]
    public void ClipInFullPrecisionOnTuring(string folder)
    {
        using var scope = new ModelScope(EmulatedGpu.Backend(architecture: 75));
        ClipParity.Check(scope, folder);
    }

    [Theory]
    [MemberData(nameof(ImageRewardCases))]
    public void ImageRewardInFullPrecisionOnTuring(string folder)
    {
        using var scope = new ModelScope(EmulatedGpu.Backend(architecture: 75));
        ImageRewardParity.Check(scope, folder);
    }

    [Fact]
    public void MpsInFullPrecisionOnTuring()
    {
        using var scope = new ModelScope(EmulatedGpu.Backend(architecture: 75));
        MpsModelTests.Check(scope);
    }

    /// <summary>
    /// There are no golden errors in bf16. Scores are cosines and rewards about 1: some roundings of 2^-9 on the way make a hundredth of the first
    /// and two of the second at most.
    /// </summary>
    [Theory]
    [MemberData(nameof(ClipCases))]
    public void ClipInHalfPrecisionOnAmpere(string folder)
    {
        using var scope = new ModelScope(EmulatedGpu.Backend(ElementType.BFloat16));
        using ClipModel model = ClipParity.Model(scope, folder);
        FixtureFile inputs = ClipParity.Inputs(folder);
        double[] scores = new double[inputs.Shape("pixels")[0]];
        model.Cosines(
            inputs.Floats("pixels"),
            [.. inputs.Ints("input_ids").Chunk(inputs.Shape("input_ids")[1])],
            [.. Enumerable.Range(0, scores.Length)],
            scores
        );
        Compare(new FixtureFile(FixtureFolder.At(ClipParity.Area, folder, "outputs.safetensors")).Doubles("score"), scores, 0.01);
    }

    [Theory]
    [MemberData(nameof(ImageRewardCases))]
    public void ImageRewardInHalfPrecisionOnAmpere(string folder)
    {
        using var scope = new ModelScope(EmulatedGpu.Backend(ElementType.BFloat16));
        using ImageRewardModel model = ImageRewardParity.Model(scope, folder);
        FixtureFile inputs = ImageRewardParity.Inputs(folder);
        double[] rewards = new double[inputs.Shape("pixels")[0]];
        model.Score(inputs.Floats("pixels"), ImageRewardParity.Prompts(inputs), [.. Enumerable.Range(0, rewards.Length)], rewards);
        Compare(new FixtureFile(FixtureFolder.At(ImageRewardParity.Area, folder, "outputs.safetensors")).Doubles("reward"), rewards, 0.02);
    }

    private void Compare(double[] golden, double[] got, double allowed)
    {
        double error = golden.Zip(got).Max(pair => Math.Abs(pair.First - pair.Second));
        output.WriteLine($"largest error {error:e2}");
        Assert.True(error <= allowed, $"largest error {error:e2}, wanted at most {allowed:e2}");
    }
}
