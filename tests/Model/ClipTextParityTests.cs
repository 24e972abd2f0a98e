using System.Text.Json;
using CoGrpo.Model.Clip;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Tests.Fixtures;

namespace CoGrpo.Tests.Model;

[Trait("Category", "fixtures")]
public sealed class ClipTextParityTests
{
    private const string Area = "clip-text";

    public static TheoryData<string> Cases => ParityCase.Folders(Area, "outputs.safetensors");

    [Theory]
    [MemberData(nameof(Cases))]
    public void Hidden_states_and_pooled_projection_are_within_the_original_codes_error(string folder)
    {
        var parity = new ParityCase($"{Area}/{folder}", FixtureFolder.Json(Area, folder, "torch_fp32_error.json"));
        var config = JsonSerializer.Deserialize<ClipTextConfig>(File.ReadAllText(FixtureFolder.At(Area, folder, "config.json")))!;
        var inputs = new FixtureFile(FixtureFolder.At(Area, folder, "inputs.safetensors"));
        var outputs = new FixtureFile(FixtureFolder.At(Area, folder, "outputs.safetensors"));
        using var scope = new ModelScope();
        using var network = new ClipTextEncoder(config, scope.Backend);
        scope.Load(new FixtureFile(FixtureFolder.At(Area, folder, "model.safetensors")), network.Parameters);
        Tape tape = scope.Tape;
        int[] ids = inputs.Ints("input_ids");

        tape.Begin(recording: true);
        Dictionary<string, double[]> seen = [];
        network.Trace = (name, v) => seen[name] = scope.Doubles(tape.Value(v));
        Var penultimate = network.Forward(tape, ids, out Var pooled);
        seen["penultimate"] = scope.Doubles(tape.Value(penultimate));
        JsonElement errors = FixtureFolder.Json(Area, folder, "torch_fp32_error.json");
        foreach (string name in outputs.Names.Where(n => n != "pool_position" && errors.TryGetProperty(n, out _)))
        {
            parity.Compare(name, outputs.Doubles(name), seen[name]);
        }

        parity.Finish();

        // Without recording the stream is updated in place: same bits.
        network.Trace = null;
        double[] recordedPooled = scope.Doubles(tape.Value(pooled));
        tape.Begin(recording: false);
        penultimate = network.Forward(tape, ids, out pooled);
        Assert.Equal(seen["penultimate"], scope.Doubles(tape.Value(penultimate)));
        Assert.Equal(recordedPooled, scope.Doubles(tape.Value(pooled)));
    }
}
