using System.Text.Json;
using CoGrpo.Model.Clip;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Tests.Fixtures;

namespace CoGrpo.Tests.Model;

/// <summary>A golden case of both towers of CLIP on any backend: every intermediate, embeddings, features and scores.</summary>
internal static class ClipParity
{
    public const string Area = "open-clip";

    public static TheoryData<string> Cases => ParityCase.Folders(Area, "outputs.safetensors");

    /// <summary>The case's model with its weights.</summary>
    public static ClipModel Model(ModelScope scope, string folder, int batchSize = 32)
    {
        var model = new ClipModel(
            JsonSerializer.Deserialize<ClipModelConfig>(File.ReadAllText(FixtureFolder.At(Area, folder, "config.json")))!,
            scope.Backend,
            scope.Backend.Storage
        )
        {
            BatchSize = batchSize,
        };
        scope.Load(new FixtureFile(FixtureFolder.At(Area, folder, "model.safetensors")), model.Parameters);
        return model;
    }

    public static FixtureFile Inputs(string folder) => new(FixtureFolder.At(Area, folder, "inputs.safetensors"));

    /// <summary>Everything that the golden file names, by name.</summary>
    public static Dictionary<string, double[]> Run(ModelScope scope, ClipModel model, string folder)
    {
        FixtureFile inputs = Inputs(folder);
        Dictionary<string, double[]> seen = [];
        Tape tape = scope.Tape;
        model.Vision.Trace = model.Text.Trace = (name, value) => seen[name] = scope.Doubles(tape.Value(value));
        tape.Begin(recording: false, scope.Backend.Storage);
        float[] pixels = inputs.Floats("pixels");
        Tensor pictures = scope.Upload(Shape.Of(inputs.Shape("pixels")), pixels);
        seen["image_embed"] = scope.Doubles(tape.Value(model.Vision.Embed(tape, model.Vision.Forward(tape, pictures))));
        int[] ids = inputs.Ints("input_ids"), s = inputs.Shape("input_ids");
        int[][] prompts = [.. ids.Chunk(s[1])];
        Var states = model.Text.Forward(tape, scope.Upload(new Shape(s[0], s[1]), ids));
        int[] ends = [.. prompts.Select((prompt, b) => (b * s[1]) + model.Text.UpToEnd(prompt).Length - 1)];
        seen["text_embed"] = scope.Doubles(tape.Value(model.Text.Embed(tape, states, scope.Upload(new Shape(s[0]), ends))));
        model.Vision.Trace = model.Text.Trace = null;

        int width = model.Config.EmbedDim;
        double[] images = new double[s[0] * width], scores = new double[s[0]];
        model.EncodePictures(pixels, images);
        double[] texts = [.. prompts.SelectMany(prompt => model.EncodePrompt(prompt))];
        model.Cosines(pixels, prompts, [.. Enumerable.Range(0, s[0])], scores);
        (seen["image_features"], seen["text_features"], seen["score"]) = (images, texts, scores);
        seen["score_matrix"] =
        [
            .. images.Chunk(width).SelectMany(image => texts.Chunk(width).Select(text => image.Zip(text).Sum(pair => pair.First * pair.Second))),
        ];
        return seen;
    }

    /// <summary>In fp32: every result within four times the original's own error.</summary>
    public static void Check(ModelScope scope, string folder)
    {
        using ClipModel model = Model(scope, folder);
        Dictionary<string, double[]> seen = Run(scope, model, folder);
        var outputs = new FixtureFile(FixtureFolder.At(Area, folder, "outputs.safetensors"));
        var parity = new ParityCase($"{Area}/{folder}", FixtureFolder.Json(Area, folder, "torch_fp32_error.json"));
        foreach (string name in outputs.Names.Where(parity.Knows))
        {
            parity.Compare(name, outputs.Doubles(name), seen[name]);
        }

        Assert.Contains("score", outputs.Names);
        parity.Finish();
    }
}
