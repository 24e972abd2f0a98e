using System.Text.RegularExpressions;
using CoGrpo.Model;
using CoGrpo.Model.Clip;
using CoGrpo.Model.Conversion;
using CoGrpo.Model.Rewards;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Files;
using CoGrpo.Runtime.Files.Torch;
using CoGrpo.Tests.Model.Conversion;
using CoGrpo.Tests.Runtime.Files.Torch;

namespace CoGrpo.Tests.Model;

/// <summary>Files of reward networks in the forms that are about: the published archives, copies in safetensors, names of either library.</summary>
public sealed class RewardFileTests : IDisposable
{
    private static readonly ClipModelConfig Clip = new()
    {
        EmbedDim = 6,
        Vision = new()
        {
            ImageSize = 12,
            PatchSize = 4,
            Width = 12,
            HeadWidth = 6,
            Layers = 2,
            MlpRatio = 3,
        },
        Text = new()
        {
            ContextLength = 9,
            VocabSize = 20,
            Width = 8,
            Heads = 2,
            Layers = 2,
        },
        QuickGelu = true,
    };

    private static readonly MpsConfig Mps = new() { Clip = Clip, Layers = 1, Heads = 3, HeadWidth = 8, PadId = 19, MaskThreshold = 0 };

    private static readonly ImageRewardConfig Reward = new()
    {
        Vision = new() { ImageSize = 12, PatchSize = 4, EmbedDim = 12, Depth = 2, NumHeads = 2 }, Head = [8, 5, 4, 3, 2, 1], ProjectionDim = 3,
        Med = new() { HiddenSize = 8, NumHiddenLayers = 2, NumAttentionHeads = 2, IntermediateSize = 10, MaxPositionEmbeddings = 9, VocabSize = 20 },
    };

    // What HF's library calls the towers' tensors, from the table of the specification, written out as what to replace.
    private static readonly (string Pattern, string Replacement)[] HuggingFace =
    [
        (@"^visual\.transformer\.resblocks\.(\d+)", "vision_model.encoder.layers.$1"),
        (@"^transformer\.resblocks\.(\d+)", "text_model.encoder.layers.$1"),
        (@"\.attn\.out_proj", ".self_attn.out_proj"),
        (@"\.ln_([12])\.", ".layer_norm$1."),
        (@"\.mlp\.c_fc\.", ".mlp.fc1."),
        (@"\.mlp\.c_proj\.", ".mlp.fc2."),
        (@"^token_embedding", "text_model.embeddings.token_embedding"),
        (@"^positional_embedding", "text_model.embeddings.position_embedding.weight"),
        (@"^ln_final", "text_model.final_layer_norm"),
        (@"^text_projection$", "text_projection.weight"),
        (@"^visual\.class_embedding", "vision_model.embeddings.class_embedding"),
        (@"^visual\.conv1", "vision_model.embeddings.patch_embedding"),
        (@"^visual\.positional_embedding", "vision_model.embeddings.position_embedding.weight"),
        (@"^visual\.ln_pre", "vision_model.pre_layrnorm"),
        (@"^visual\.ln_post", "vision_model.post_layernorm"),
        (@"^visual\.proj$", "visual_projection.weight"),
    ];

    private static readonly Dictionary<string, int> Positions = new()
    {
        ["text_model.embeddings.position_ids"] = 9,
        ["vision_model.embeddings.position_ids"] = 10,
    };

    private readonly CpuBackend _backend = new(2);
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        _folder.Dispose();
        _backend.Dispose();
    }

    [Theory]
    [InlineData(null, "")]
    [InlineData("state_dict", "")]
    [InlineData("state_dict", "module.")]
    public void Archives_with_and_without_a_state_dictionary_and_wrapper_give_the_scores_of_the_network(string? key, string prefix)
    {
        using HpsModel hps = new(Filled(new ClipModel(Clip, _backend)), HpsVersion.V20);
        TorchFile.Write(_folder.File("hps.pt"), Tensors(hps.Clip.Parameters), new Dictionary<string, int>(), key, prefix);
        using HpsModel read = new(ClipModel.Load(_folder.File("hps.pt"), Clip, _backend), HpsVersion.V20);
        Assert.Equal(Score(hps), Score(read));
        using ImageRewardModel reward = Filled(new ImageRewardModel(Reward, _backend));
        TorchFile.Write(
            _folder.File("reward.pt"),
            [
                .. Tensors(reward.Parameters),
                .. Reward.Unused.Select(t =>
                    (t.Name, Enumerable.Range(0, t.Shape.Rank).Select(d => (long)t.Shape[d]).ToArray(), new float[t.Shape.Count])
                ),
            ],
            new Dictionary<string, int> { ["blip.text_encoder.embeddings.position_ids"] = 9 },
            key,
            prefix
        );
        using ImageRewardModel again = ImageRewardModel.Load(_folder.File("reward.pt"), Reward, _backend);
        Assert.Equal(Score(reward), Score(again));
    }

    [Theory]
    [InlineData(false, "")]
    [InlineData(true, "")]
    [InlineData(true, "module.")]
    public void Names_of_Hugging_Face_give_the_scores_of_the_network(bool archive, string prefix)
    {
        using ClipScoreModel clip = new(Filled(new ClipModel(Clip, _backend)));
        string folder = Directory.CreateDirectory(_folder.File("hf")).FullName;
        Write(
            Path.Combine(folder, archive ? "pytorch_model.bin" : "model.safetensors"),
            [.. Tensors(clip.Clip.Parameters).SelectMany(Renamed)],
            archive ? Positions : [],
            archive ? "state_dict" : null,
            prefix
        );
        File.WriteAllText(
            Path.Combine(folder, "config.json"),
            """
            {"model_type":"clip","projection_dim":6,"logit_scale_init_value":2.6592,
             "text_config":{"hidden_size":8,"intermediate_size":32,"num_attention_heads":2,"num_hidden_layers":2,"max_position_embeddings":9,"vocab_size":20},
             "vision_config":{"hidden_size":12,"intermediate_size":36,"num_attention_heads":2,"num_hidden_layers":2,"image_size":12,"patch_size":4}}
            """);
        using ClipScoreModel read = ClipScoreModel.Load(folder, _backend);
        Assert.Equal(Clip, read.Clip.Config);
        Assert.Equal(Score(clip), Score(read));
    }

    [Theory]
    [InlineData("")]
    [InlineData("mps.")]
    public void MPS_reads_towers_with_names_of_Hugging_Face(string prefix)
    {
        int[] condition = [18, 4, 9, 2, 19];
        using MpsModel written = new(Mps, condition, _backend);
        Initialisation.FromScratch(written.Parameters, _backend, 3);
        Write(
            _folder.File("mps.safetensors"),
            [
                .. Tensors(written.Parameters)
                    .SelectMany(tensor =>
                        tensor.Name.StartsWith("model.", StringComparison.Ordinal)
                            ? Renamed((tensor.Name["model.".Length..], tensor.Shape, tensor.Values))
                                .Select(t => ("model." + t.Name, t.Shape, t.Values))
                            : [tensor]
                    ),
            ],
            [],
            null,
            prefix
        );
        using MpsModel read = MpsModel.Load(_folder.File("mps.safetensors"), Mps, condition, _backend);
        Assert.Equal(Score(written), Score(read));
    }

    [Fact]
    public void What_is_missing_from_names_of_Hugging_Face_is_named()
    {
        using ClipModel clip = Filled(new ClipModel(Clip, _backend));
        string path = _folder.File("less.safetensors");
        string[] left = ["vision_model.encoder.layers.1.self_attn.k_proj.weight", "text_model.final_layer_norm.bias"];
        Write(path, [.. Tensors(clip.Parameters).SelectMany(Renamed).Where(tensor => !left.Contains(tensor.Name))], [], null, "");
        string message = Assert.Throws<ModelException>(() => ClipModel.Load(path, Clip, _backend)).Message;
        foreach (
            string said in (string[])
                [
                    "visual.transformer.resblocks.1.attn.in_proj_weight",
                    "ln_final.bias",
                    "vision_model.encoder.layers.1.self_attn.q_proj.weight is not a tensor of this network",
                ]
        )
        {
            Assert.Contains(said, message, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("resblocks.0", message, StringComparison.Ordinal);
        Write(
            path,
            [.. Tensors(clip.Parameters).SelectMany(Renamed), .. Tensors(clip.Parameters).Where(tensor => tensor.Name == "visual.proj")],
            [],
            null,
            ""
        );
        Assert.Contains(
            "wanted the names of one library",
            Assert.Throws<ModelException>(() => ClipModel.Load(path, Clip, _backend)).Message,
            StringComparison.Ordinal
        );
        string folder = Directory.CreateDirectory(_folder.File("other")).FullName;
        File.Move(path, Path.Combine(folder, "model.safetensors"));
        File.WriteAllText(Path.Combine(folder, "config.json"), """{"text_config":{"hidden_act":"gelu"},"vision_config":{"hidden_act":"relu"}}""");
        Assert.Contains(
            "wanted hidden_act gelu or quick_gelu",
            Assert.Throws<ModelException>(() => ClipScoreModel.Load(folder, _backend)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Synthetic_files_have_the_published_names_and_counts()
    {
        (SyntheticReward Reward, int Tensors, long Parameters)[] all =
        [
            (SyntheticReward.ImageReward(false), 624, 446_665_953),
            (SyntheticReward.Hps(false), 686, 986_109_441),
            (SyntheticReward.ClipScore(false), 686, 986_109_441),
        ];
        Assert.All(
            all,
            one => Assert.Equal((one.Tensors, one.Parameters), (one.Reward.Tensors.Count, one.Reward.Tensors.Sum(tensor => tensor.Count)))
        );
        Assert.All(all, one => Assert.Null(one.Reward.Configuration));
    }

    /// <summary>Both forms of a synthetic file hold the same weights, which make scores of sensible size that depend on picture and prompt.</summary>
    [Fact]
    public void Synthetic_files_score_alike_in_both_forms()
    {
        foreach (
            (string name, SyntheticReward reward) in new[]
            {
                ("ImageReward", SyntheticReward.ImageReward(true)),
                ("HPS_v2_compressed", SyntheticReward.Hps(true)),
            }
        )
        {
            var progress = new SilentConversion();
            SyntheticRewardFolder.Write(_folder.File($"{name}-pt"), reward, archive: true, 5, SafetensorsType.F32, progress, default);
            SyntheticRewardFolder.Write(_folder.File($"{name}-st"), reward, archive: false, 5, SafetensorsType.F32, new SilentConversion(), default);
            SyntheticRewardFolder.Write(
                _folder.File($"{name}-half"),
                reward,
                archive: true,
                5,
                SafetensorsType.BF16,
                new SilentConversion(),
                default
            );
            Assert.Equal((progress.Bytes, progress.Bytes), (progress.Done, reward.Tensors.Sum(tensor => tensor.ByteCount)));
            using (TorchArchive archive = TorchArchive.Open(_folder.File($"{name}-pt/{name}.pt")))
            {
                archive.Verify();
                Assert.Equal(reward.Key is null ? reward.Tensors.Select(tensor => tensor.Name) : [reward.Key], archive.Keys);
            }

            double[] scores = ScoreTiny(name, $"{name}-pt");
            Assert.Equal(scores, ScoreTiny(name, $"{name}-st"));
            Assert.All(scores, score => Assert.InRange(Math.Abs(score), 1e-6, 10));
            Assert.Equal(scores.Length, scores.Distinct().Count());
            double spread = scores.Max() - scores.Min();
            Assert.All(scores.Zip(ScoreTiny(name, $"{name}-half")), pair => Assert.Equal(pair.First, pair.Second, spread));
        }
    }

    private double[] ScoreTiny(string name, string folder)
    {
        using IRewardModel model =
            name == "ImageReward"
                ? ImageRewardModel.Load(_folder.File(folder), _backend)
                : HpsModel.Load(_folder.File(folder), HpsVersion.V20, _backend);
        double[] scores = new double[4];
        var random = new Random(1);
        float[] pixels = [.. Enumerable.Range(0, 4 * 3 * 32 * 32).Select(_ => (4 * random.NextSingle()) - 2)];
        model.Score(pixels, [[101, 3, 102], [101, 17, 44, 102]], [0, 0, 1, 1], scores);
        return scores;
    }

    private static double[] Score(IRewardModel model)
    {
        double[] scores = new double[3];
        model.Score(
            Array.ConvertAll(Enumerable.Range(0, 3 * 3 * 12 * 12).ToArray(), i => (i * 7919 % 256 / 64f) - 2),
            [
                [18, 3, 19],
                [18, 1, 2, 4, 19],
            ],
            [0, 1, 1],
            scores
        );
        Assert.Equal(3, scores.Distinct().Count());
        return scores;
    }

    private IEnumerable<(string Name, long[] Shape, float[] Values)> Tensors(ParameterStore store)
    {
        string path = _folder.File("plain.safetensors");
        ParameterFile.Save(path, store, store.Values, _backend);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        return [.. file.Tensors.Values.Select(tensor => (tensor.Name, tensor.Shape.ToArray(), file.ReadFloat32(tensor.Name)))];
    }

    private static IEnumerable<(string Name, long[] Shape, float[] Values)> Renamed((string Name, long[] Shape, float[] Values) tensor)
    {
        (string name, long[] shape, float[] values) = tensor;
        if (name.Contains("attn.in_proj_", StringComparison.Ordinal))
        {
            float[][] thirds = [.. values.Chunk(values.Length / 3)];
            return thirds.Select(
                (third, i) =>
                    (
                        Changed(name).Replace(".attn.in_proj_", $".self_attn.{"qkv"[i]}_proj.", StringComparison.Ordinal),
                        (long[])[shape[0] / 3, .. shape[1..]],
                        third
                    )
            );
        }

        if (name is "text_projection" or "visual.proj")
        {
            int rows = (int)shape[0], columns = (int)shape[1];
            values = [.. Enumerable.Range(0, values.Length).Select(i => tensor.Values[(i % rows * columns) + (i / rows)])];
            shape = [columns, rows];
        }

        return [(Changed(name), shape, values)];
    }

    private static string Changed(string name) => HuggingFace.Aggregate(name, (text, pair) => Regex.Replace(text, pair.Pattern, pair.Replacement));

    private static void Write(
        string path,
        List<(string Name, long[] Shape, float[] Values)> tensors,
        Dictionary<string, int> buffers,
        string? key,
        string prefix
    )
    {
        if (!path.EndsWith(".safetensors", StringComparison.Ordinal))
        {
            TorchFile.Write(path, tensors, buffers, key, prefix);
            return;
        }

        using FileStream stream = File.Create(path);
        var writer = new SafetensorsWriter(
            stream,
            tensors.Select(tensor => new SafetensorsTensor(prefix + tensor.Name, SafetensorsType.F32, tensor.Shape))
        );
        foreach ((string name, _, float[] values) in tensors.OrderBy(tensor => prefix + tensor.Name, StringComparer.Ordinal))
        {
            writer.WriteFloat32(prefix + name, values);
        }

        writer.Complete();
    }

    private static ClipModel Filled(ClipModel model)
    {
        Initialisation.FromScratch(model.Parameters, model.Backend, 1);
        return model;
    }

    private static ImageRewardModel Filled(ImageRewardModel model)
    {
        Initialisation.FromScratch(model.Parameters, model.Backend, 2);
        return model;
    }
}
