using System.Text.Json;
using CoGrpo.Model.Schedule;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Tests.Fixtures;

namespace CoGrpo.Tests.Model;

[Trait("Category", "fixtures")]
public sealed class SchedulePolicyParityTests
{
    private const string Area = "grpo";

    public static TheoryData<string> Cases
    {
        get
        {
            var cases = new TheoryData<string>();
            foreach (string folder in Directory.GetDirectories(FixtureFolder.At(Area), "policy-*").Order(StringComparer.Ordinal))
            {
                cases.Add(Path.GetFileName(folder));
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Mean_intermediates_and_gradients_are_within_the_original_codes_error(string folder)
    {
        JsonElement errors = FixtureFolder.Json(Area, folder, "torch_fp32_error.json");
        var parity = new ParityCase($"{Area}/{folder}", errors);
        JsonElement json = FixtureFolder.Json(Area, folder, "config.json");
        int Key(string name) => json.GetProperty(name).GetInt32();
        var config = new SchedulePolicyConfig(
            Key("feature_dim"),
            Key("sinusoid_dim"),
            Key("time_dim"),
            Key("grid"),
            Key("pointwise"),
            Key("mlp1"),
            Key("mlp2")
        );
        var inputs = new FixtureFile(FixtureFolder.At(Area, folder, "inputs.safetensors"));
        var outputs = new FixtureFile(FixtureFolder.At(Area, folder, "outputs.safetensors"));
        using var scope = new ModelScope();
        using var policy = new SchedulePolicy(config, scope.Backend);
        scope.Load(new FixtureFile(FixtureFolder.At(Area, folder, "model.safetensors")), policy.Parameters);
        Assert.Equal(Key("parameters"), policy.Parameters.ParameterCount);
        Assert.Equal(config.ParameterCount, policy.Parameters.ParameterCount);
        policy.Parameters.EnableGradients();

        Tape tape = scope.Tape;
        tape.Begin(recording: true);
        Dictionary<string, double[]> seen = [];
        policy.Trace = (name, v) => seen[name] = scope.Doubles(tape.Value(v));
        Tensor features = scope.Upload(Shape.Of(inputs.Shape("features")), inputs.Floats("features"));
        float[] time = inputs.Floats("t_tilde");
        Var delta = policy.Forward(tape, features, Key("tokens_h"), Key("tokens_w"), scope.Upload(new Shape(time.Length), time));
        foreach (string name in outputs.Names.Where(n => seen.ContainsKey(n)))
        {
            int[] shape = outputs.Shape(name);
            double[] golden = outputs.Doubles(name);
            parity.Compare(name, shape.Length == 4 ? ChannelsLast(golden, shape) : golden, seen[name]);
        }

        tape.Seed(delta, scope.Upload(Shape.Of(outputs.Shape("grad_delta")), outputs.Floats("grad_delta")));
        tape.Backward();
        var gradients = new FixtureFile(FixtureFolder.At(Area, folder, "grads.safetensors"));
        foreach (Parameter parameter in policy.Parameters.Parameters)
        {
            parity.Compare($"grad.{parameter.Name}", gradients.Doubles(parameter.Name), scope.Doubles(parameter.Gradient));
        }

        parity.Finish();
    }

    [Theory]
    [InlineData(1024, 8_883_796)]
    [InlineData(512, 1_763_172)]
    [InlineData(384, 953_732)]
    [InlineData(256, 443_316)]
    [InlineData(128, 129_508)]
    [InlineData(64, 33_012)]
    public void Published_rows_have_the_counts_of_the_specification(int width, long count) =>
        Assert.Equal(count, SchedulePolicyConfig.ForWidth(width).ParameterCount);

    /// <summary>[B,C,H,W] to [B,H*W,C].</summary>
    private static double[] ChannelsLast(double[] values, int[] shape)
    {
        int channels = shape[1];
        int places = shape[2] * shape[3];
        double[] result = new double[values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            (int b, int rest) = Math.DivRem(i, channels * places);
            (int c, int p) = Math.DivRem(rest, places);
            result[(((b * places) + p) * channels) + c] = values[i];
        }

        return result;
    }
}
