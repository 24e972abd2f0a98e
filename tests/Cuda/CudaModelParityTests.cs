using CoGrpo.Runtime;
using CoGrpo.Tests.Fixtures;
using CoGrpo.Tests.Model;

namespace CoGrpo.Tests.Cuda;

/// <summary>
/// The golden cases of the transformer through the kernels: fp32 within four times the original's fp32 error, bf16 within twice its bf16 error (see
/// <see cref="ParityCase"/> for what that means of gradients).
/// </summary>
[Trait("Category", "fixtures")]
public sealed class CudaModelParityTests
{
    public static TheoryData<string> Cases => ParityCase.Folders(MeissonicParity.Area, "outputs.safetensors");

    [Theory]
    [MemberData(nameof(Cases))]
    public void FullPrecisionOnTuring(string folder)
    {
        using var scope = new ModelScope(EmulatedGpu.Backend(architecture: 75));
        MeissonicParity.Check(scope, folder, "torch_fp32_error.json", 4);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void HalfPrecisionOnAmpere(string folder)
    {
        using var scope = new ModelScope(EmulatedGpu.Backend(ElementType.BFloat16));
        MeissonicParity.Check(scope, folder, "torch_bf16_error.json", 2, largestOfGradients: 4);
    }
}
