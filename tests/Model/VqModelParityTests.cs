using CoGrpo.Tests.Fixtures;

namespace CoGrpo.Tests.Model;

/// <summary>The picture model against golden values of the original code.</summary>
[Trait("Category", "fixtures")]
public sealed class VqModelParityTests
{
    private const int Allowance = 4;

    public static TheoryData<string> Cases => ParityCase.Folders(VqParity.Area, "outputs.safetensors");

    [Theory]
    [MemberData(nameof(Cases))]
    public void Latents_codes_and_pictures_are_within_the_original_codes_error(string folder)
    {
        using var scope = new ModelScope();
        Check(scope, folder);
    }

    /// <summary>In fp32: intermediates within a multiple of the original's error, codes equal, bytes apart by one at most.</summary>
    internal static void Check(ModelScope scope, string folder)
    {
        using var model = new VqParity(scope, folder);
        int[] codes = model.Encode();
        Assert.Equal(model.GoldenCodes(), codes);
        byte[] bytes = model.Decode(codes, "decoded");
        var parity = new ParityCase($"{VqParity.Area}/{folder}", FixtureFolder.Json(VqParity.Area, folder, "torch_fp32_error.json"), Allowance);
        string[] compared = [.. model.GoldenNames.Where(parity.Knows).Except(["decoded_random"])];
        foreach (string name in compared)
        {
            parity.Compare(name, model.Golden(name), model.Seen[name]);
        }

        Assert.Contains("latents", compared);
        Assert.Contains("decoded", compared);
        model.Decode(model.RandomCodes(), "decoded_random");
        parity.Compare("decoded_random", model.Golden("decoded_random"), model.Seen["decoded_random"]);
        parity.Finish();
        double[] golden = model.Golden("decoded_u8");
        Assert.Equal(golden.Length, bytes.Length);
        Assert.All(golden.Zip(bytes), pair => Assert.True(Math.Abs(pair.First - pair.Second) <= 1, $"a byte is {pair.Second}, wanted {pair.First}"));
    }
}
