using CoGrpo.Tests.Fixtures;

namespace CoGrpo.Tests.Model;

[Trait("Category", "fixtures")]
public sealed class MeissonicTransformerParityTests
{
    public static TheoryData<string> Cases => ParityCase.Folders(MeissonicParity.Area, "outputs.safetensors");

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_intermediate_logit_loss_and_gradient_is_within_the_original_codes_error(string folder)
    {
        using var scope = new ModelScope();
        MeissonicParity.Check(scope, folder, "torch_fp32_error.json", 4);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Recomputed_blocks_give_the_same_gradients(string folder)
    {
        using var scope = new ModelScope();
        MeissonicParity.Check(scope, folder, "torch_fp32_error.json", 4, recompute: true);
    }
}
