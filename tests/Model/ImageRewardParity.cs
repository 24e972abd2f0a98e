using System.Text.Json;
using CoGrpo.Model.Rewards;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Tests.Fixtures;

namespace CoGrpo.Tests.Model;

/// <summary>
/// A golden case of ImageReward on any backend: every intermediate, features and rewards. Prompts run without padding, so states of the text encoder
/// are compared at the tokens that are not padding.
/// </summary>
internal static class ImageRewardParity
{
    public const string Area = "image-reward";

    public static TheoryData<string> Cases => ParityCase.Folders(Area, "outputs.safetensors");

    /// <summary>The case's model, read from its file.</summary>
    public static ImageRewardModel Model(ModelScope scope, string folder) =>
        ImageRewardModel.Load(FixtureFolder.At(Area, folder, "model.safetensors"), Config(folder), scope.Backend, scope.Backend.Storage);

    public static ImageRewardConfig Config(string folder) =>
        JsonSerializer.Deserialize<ImageRewardConfig>(File.ReadAllText(FixtureFolder.At(Area, folder, "config.json")))!;

    public static FixtureFile Inputs(string folder) => new(FixtureFolder.At(Area, folder, "inputs.safetensors"));

    /// <summary>The case's prompts without padding.</summary>
    public static int[][] Prompts(FixtureFile inputs)
    {
        int length = inputs.Shape("input_ids")[1];
        return
        [
            .. inputs.Ints("input_ids").Chunk(length).Zip(inputs.Ints("attention_mask").Chunk(length)).Select(row => row.First[..row.Second.Sum()]),
        ];
    }

    /// <summary>In fp32: every result within four times the original's own error.</summary>
    public static void Check(ModelScope scope, string folder)
    {
        using ImageRewardModel model = Model(scope, folder);
        FixtureFile inputs = Inputs(folder), outputs = new(FixtureFolder.At(Area, folder, "outputs.safetensors"));
        int[][] prompts = Prompts(inputs);
        Assert.True(prompts.Select(p => p.Length).Distinct().Count() > 1);
        float[] pixels = inputs.Floats("pixels");
        int width = model.Config.Med.HiddenSize, padded = inputs.Shape("input_ids")[1];

        Tape tape = scope.Tape;
        tape.Begin(recording: false, scope.Backend.Storage);
        Dictionary<string, List<double>> seen = [];
        void See(string name, Var value)
        {
            if (!seen.TryGetValue(name, out List<double>? values))
            {
                seen.Add(name, values = []);
            }

            values.AddRange(scope.Doubles(tape.Value(value)));
        }

        model.Vision.Trace = model.Text.Trace = See;
        Tensor pictures = tape.Value(model.Vision.Forward(tape, scope.Upload(Shape.Of(inputs.Shape("pixels")), pixels)));
        int tokens = pictures.Shape[1];
        seen["feature"] = [];
        seen["raw"] = [];
        for (int b = 0; b < prompts.Length; b++)
        {
            Var picture = tape.Constant(pictures.RowRange(b * tokens, tokens).Reshape(new Shape(1, tokens, pictures.Columns)));
            double[] feature = scope.Doubles(tape.Value(model.Text.Forward(tape, prompts[b], picture)))[..width];
            seen["feature"].AddRange(feature);
            seen["raw"].Add(model.Raw(Array.ConvertAll(feature, x => (float)x)));
        }

        model.Vision.Trace = model.Text.Trace = null;
        double[] rewards = new double[prompts.Length];
        model.Score(pixels, prompts, [.. Enumerable.Range(0, prompts.Length)], rewards);
        seen["reward"] = [.. rewards];

        var parity = new ParityCase($"{Area}/{folder}", FixtureFolder.Json(Area, folder, "torch_fp32_error.json"));
        foreach (string name in outputs.Names.Where(parity.Knows))
        {
            double[] golden = outputs.Doubles(name);
            if (name.StartsWith("text.", StringComparison.Ordinal))
            {
                golden = [.. golden.Chunk(padded * width).Zip(prompts).SelectMany(row => row.First[..(row.Second.Length * width)])];
            }

            parity.Compare(name, golden, [.. seen[name]]);
        }

        Assert.Contains("reward", outputs.Names);
        parity.Finish();
    }
}
