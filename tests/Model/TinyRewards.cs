using System.Text.Json;
using CoGrpo.Model;
using CoGrpo.Model.Clip;
using CoGrpo.Model.Rewards;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Tests.Model;

/// <summary>Reward networks of a few weights, with the published vocabularies and lengths, as folders that a configuration can name.</summary>
internal static class TinyRewards
{
    /// <summary>A CLIP model, which is HPS and CLIP score.</summary>
    public static void WriteClip(string folder, IBackend backend)
    {
        var config = new ClipModelConfig
        {
            EmbedDim = 8,
            Vision = new()
            {
                ImageSize = 32,
                PatchSize = 8,
                Width = 16,
                HeadWidth = 8,
                Layers = 1,
            },
            Text = new()
            {
                ContextLength = 77,
                VocabSize = 49408,
                Width = 8,
                Heads = 2,
                Layers = 1,
            },
        };
        using ClipModel model = new(config, backend);
        Initialisation.FromScratch(model.Parameters, backend, 5);
        Write(folder, config, path => ParameterFile.Save(path, model.Parameters, model.Parameters.Values, backend));
    }

    /// <summary>ImageReward.</summary>
    public static void WriteImageReward(string folder, IBackend backend)
    {
        var config = new ImageRewardConfig
        {
            Vision = new()
            {
                ImageSize = 32,
                PatchSize = 8,
                EmbedDim = 12,
                Depth = 1,
                NumHeads = 2,
            },
            Head = [8, 5, 4, 3, 2, 1],
            ProjectionDim = 3,
            Med = new()
            {
                HiddenSize = 8,
                NumHiddenLayers = 1,
                NumAttentionHeads = 2,
                IntermediateSize = 10,
                MaxPositionEmbeddings = 64,
                VocabSize = 30524,
            },
        };
        using ImageRewardModel model = new(config, backend);
        Initialisation.FromScratch(model.Parameters, backend, 6);
        Write(folder, config, path => ParameterFile.Save(path, model.Parameters, model.Parameters.Values, backend));
    }

    private static void Write<T>(string folder, T config, Action<string> save)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), JsonSerializer.Serialize(config));
        save(Path.Combine(folder, "weights.safetensors"));
    }
}
