using CoGrpo.Model;
using CoGrpo.Model.Clip;
using CoGrpo.Model.Rewards;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Backends.Plan;
using CoGrpo.Runtime.Files;
using CoGrpo.Tests.Fixtures;

namespace CoGrpo.Tests.Model;

/// <summary>The reward networks beside their golden values: published sizes, cost, memory, files and what is refused.</summary>
public sealed class RewardModelTests : IDisposable
{
    private static readonly ClipModelConfig SmallClip = new()
    {
        EmbedDim = 6,
        Vision = new()
        {
            ImageSize = 12,
            PatchSize = 4,
            Width = 12,
            HeadWidth = 6,
            Layers = 2,
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

    private static readonly ImageRewardConfig SmallReward = new()
    {
        Vision = new() { ImageSize = 12, PatchSize = 4, EmbedDim = 12, Depth = 2, NumHeads = 2 }, Head = [8, 5, 4, 3, 2, 1], ProjectionDim = 3,
        Med = new() { HiddenSize = 8, NumHiddenLayers = 2, NumAttentionHeads = 2, IntermediateSize = 10, MaxPositionEmbeddings = 9, VocabSize = 20 },
    };

    private readonly CpuBackend _backend = new(2);

    public void Dispose() => _backend.Dispose();

    [Fact]
    public void ImageReward_has_the_published_parameters()
    {
        using PlanBackend plan = new();
        using ImageRewardModel model = new(new ImageRewardConfig(), plan);
        Assert.Equal(
            [303_301_632, 141_977_088, 927_969],
            new[] { "blip.visual_encoder.", "blip.text_encoder.", "mlp." }.Select(prefix => Count(model.Parameters, prefix))
        );
        Assert.Equal(624, model.Parameters.Parameters.Count + model.Config.Unused.Count);
        Assert.Equal(446_665_953, model.Parameters.ParameterCount + model.Config.Unused.Sum(tensor => tensor.Shape.Count));
        Assert.Equal(new Shape(768, 1024), model.Parameters.Find("blip.text_encoder.encoder.layer.11.crossattention.self.key.weight")!.Shape);
    }

    public static TheoryData<string, int, long, long> PublishedClips => new()
    {
        { nameof(ClipModelConfig.ViTH14), 686, 986_109_441, 632_076_800 }, { nameof(ClipModelConfig.ViTL14), 446, 427_616_513, 303_966_208 },
        { nameof(ClipModelConfig.ViTB32), 302, 151_277_313, 87_849_216 },
    };

    [Theory]
    [MemberData(nameof(PublishedClips))]
    public void CLIP_has_the_published_parameters(string name, int tensors, long parameters, long ofPictures)
    {
        using PlanBackend plan = new();
        using ClipModel model = new((ClipModelConfig)typeof(ClipModelConfig).GetProperty(name)!.GetValue(null)!, plan);
        Assert.Equal(
            (parameters, ofPictures, tensors),
            (model.Parameters.ParameterCount, Count(model.Parameters, "visual."), model.Parameters.Parameters.Count)
        );
    }

    /// <summary>A plan counts what the specification says a picture and a prompt cost, and says what memory a pass takes.</summary>
    [Fact]
    public void Published_sizes_cost_what_the_specification_says()
    {
        using PlanBackend plan = new();
        using ClipModel clip = new(ClipModelConfig.ViTH14, plan);
        float[] picture = new float[3 * 224 * 224];
        clip.EncodePictures(picture, new double[1024]);
        Assert.Equal(2 * 167.3, Operations(plan) / 1e9, 0.2);
        plan.TakeWork();
        clip.EncodePrompt([.. Enumerable.Range(0, 77)]);
        Assert.Equal(2 * 23.5, Operations(plan) / 1e9, 0.2);
        plan.TakeWork();
        using ImageRewardModel reward = new(new ImageRewardConfig(), plan);
        reward.Score(picture, [[.. Enumerable.Range(0, 35)]], [0], new double[1]);
        Assert.Equal(138, Operations(plan) / 1e9, 0.5);
        Assert.InRange(clip.WorkBytes, 6L * 257 * 1280 * 4, 7L * 257 * 1280 * 4);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 2)]
    [InlineData(3, 32)]
    public void Planned_memory_is_what_is_held(int pictures, int batch)
    {
        using PlanBackend plan = new();
        using CpuBackend cpu = new(2);
        foreach (bool clip in (bool[])[true, false])
        {
            using IRewardModel planned = clip
                ? new ClipScoreModel(new ClipModel(SmallClip, plan) { BatchSize = batch })
                : new ImageRewardModel(SmallReward, plan) { BatchSize = batch };
            using IRewardModel held = clip
                ? new ClipScoreModel(Filled(new ClipModel(SmallClip, cpu) { BatchSize = batch }))
                : Filled(new ImageRewardModel(SmallReward, cpu) { BatchSize = batch });
            Score(planned, pictures);
            double[] scores = Score(held, pictures);
            Assert.All(scores, score => Assert.True(double.IsFinite(score)));
            Assert.Equal(plan.Memory.Arenas, cpu.Memory.Arenas);
            Assert.Contains(cpu.Memory.Arenas, arena => arena.Arena == "rewards" && arena.ReservedBytes > 0);
            Assert.All(
                cpu.Memory.Arenas.Where(arena => arena.Arena == "rewards"),
                arena => Assert.Equal(arena.ReservedBytes, held is ImageRewardModel m ? m.WorkBytes : ((ClipScoreModel)held).Clip.WorkBytes)
            );
        }
    }

    [Fact]
    public void CLIP_score_is_a_hundred_cosines_and_HPS_is_the_cosine()
    {
        using ClipModel model = Filled(new ClipModel(SmallClip, _backend));
        using ClipScoreModel clip = new(model);
        using HpsModel hps = new(model, HpsVersion.V21);
        double[] hundred = Score(clip, 4), one = Score(hps, 4);
        Assert.Equal(hundred, one.Select(score => 100 * score));
        Assert.All(one, score => Assert.InRange(Math.Abs(score), 1e-6, 1));
        Assert.Equal(Math.E * one[0], hps.PreferenceLogit(one[0]), 1e-6);
        double[] features = new double[4 * 6];
        model.EncodePictures(Pixels(4), features);
        Assert.All(features.Chunk(6), f => Assert.Equal(1, f.Sum(x => x * x), 12));
    }

    [Fact]
    public void What_follows_the_end_token_of_CLIP_does_not_matter()
    {
        using ClipModel model = Filled(new ClipModel(SmallClip, _backend));
        IReadOnlyList<double> features = model.EncodePrompt([18, 3, 5, 19]);
        Assert.Equal(features, model.EncodePrompt([18, 3, 5, 19, 0, 7, 19]));
        Assert.Equal(1, model.PromptsKept);
        Assert.NotEqual(features, model.EncodePrompt([18, 3, 6, 19]));
        Assert.Equal(2, model.PromptsKept);
        model.ReleaseMemory();
        Assert.Equal((0, 0L), (model.PromptsKept, model.WorkBytes));
        Assert.Equal(features, model.EncodePrompt([18, 3, 5, 19]));
    }

    /// <summary>The five layers of the head, one by one in fp64, give what their folded form gives.</summary>
    [Fact]
    public void The_folded_head_is_the_five_layers()
    {
        using ImageRewardModel model = Filled(new ImageRewardModel(SmallReward, _backend));
        float[] feature = [.. Enumerable.Range(0, 8).Select(i => MathF.Sin(i))];
        double[] x = Array.ConvertAll(feature, v => (double)v);
        foreach (int place in (int[])[0, 2, 4, 6, 7])
        {
            Parameter weight = model.Parameters.Find($"mlp.layers.{place}.weight")!, bias = model.Parameters.Find($"mlp.layers.{place}.bias")!;
            float[] w = new float[weight.Shape.Count], b = new float[bias.Shape.Count];
            _backend.Download<float>(weight.Value, w);
            _backend.Download<float>(bias.Value, b);
            x = [.. b.Select((v, row) => v + x.Select((u, column) => u * w[(row * x.Length) + column]).Sum())];
        }

        Assert.Equal(x[0], model.Raw(feature), 1e-12);
        Assert.NotEqual(0, x[0]);
    }

    [Fact]
    public void Files_saved_while_wrapped_give_the_same_scores()
    {
        using TemporaryFolder folder = new();
        using ImageRewardModel written = Filled(new ImageRewardModel(SmallReward, _backend));
        string plain = folder.File("plain.safetensors"), wrapped = folder.File("wrapped.safetensors");
        ParameterFile.Save(plain, written.Parameters, written.Parameters.Values, _backend);
        AtomicFile.Write(wrapped, stream => ParameterFile.Write(stream, [("module.", written.Parameters, written.Parameters.Values)], _backend));
        using ImageRewardModel one = ImageRewardModel.Load(plain, SmallReward, _backend),
            other = ImageRewardModel.Load(wrapped, SmallReward, _backend);
        double[] scores = Score(written, 3);
        Assert.Equal(scores, Score(one, 3));
        Assert.Equal(scores, Score(other, 3));
    }

    [Fact]
    public void Every_missing_tensor_is_named()
    {
        using TemporaryFolder folder = new();
        string path = folder.File("other.safetensors");
        using ClipModel clip = new(SmallClip, _backend);
        ParameterFile.Save(path, clip.Parameters, clip.Parameters.Values, _backend);
        string message = Assert.Throws<ModelException>(() => ImageRewardModel.Load(path, SmallReward, _backend)).Message;
        foreach (
            string name in (string[])
                [
                    "blip.visual_encoder.cls_token",
                    "blip.visual_encoder.blocks.{0-1}.attn.qkv.weight",
                    "blip.text_encoder.encoder.layer.{0-1}.crossattention.self.key.bias",
                    "mlp.layers.{0,2,4,6-7}.weight",
                    "logit_scale is not a tensor of this network",
                ]
        )
        {
            Assert.Contains(name, message, StringComparison.Ordinal);
        }

        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void One_missing_tensor_is_named_alone()
    {
        using TemporaryFolder folder = new();
        string path = folder.File("less.safetensors");
        ClipModelConfig less = SmallClip with { Text = SmallClip.Text with { Layers = 1 } };
        using ClipModel clip = new(less, _backend);
        ParameterFile.Save(path, clip.Parameters, clip.Parameters.Values, _backend);
        string message = Assert.Throws<ModelException>(() => ClipModel.Load(path, SmallClip, _backend)).Message;
        Assert.Contains(
            "missing transformer.resblocks.1.ln_1.weight, transformer.resblocks.1.ln_1.bias, transformer.resblocks.1.attn.in_proj_weight",
            message,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("resblocks.0", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Inputs_that_do_not_fit_are_refused()
    {
        using ImageRewardModel reward = Filled(new ImageRewardModel(SmallReward, _backend));
        using ClipScoreModel clip = new(Filled(new ClipModel(SmallClip, _backend)));
        Refused("wanted 3 x 12 x 12 pixels and a score for each of 2 pictures", () => reward.Score(Pixels(1), [[1]], [0, 0], new double[2]));
        Refused("wanted places of prompts in [0,1), got 1", () => clip.Score(Pixels(1), [[1]], [1], new double[1]));
        Refused("wanted 1 to 9 ids, got 0", () => reward.Score(Pixels(1), [[]], [0], new double[1]));
        Refused("wanted ids in [0,20), got 20 at token 1", () => reward.Score(Pixels(1), [[1, 20]], [0], new double[1]));
        Refused("wanted 1 to 9 ids, got 10", () => clip.Score(Pixels(1), [new int[10]], [0], new double[1]));
        Refused(
            "wanted ids in [0,20), got -1 at token 0",
            () =>
                clip.Score(
                    Pixels(1),
                    [
                        [-1],
                    ],
                    [0],
                    new double[1]
                )
        );
        Refused(
            "image_size a multiple of patch_size",
            () => new ClipModel(SmallClip with { Vision = SmallClip.Vision with { PatchSize = 5 } }, _backend)
        );
        Refused("width a multiple of heads", () => new ClipModel(SmallClip with { Text = SmallClip.Text with { Heads = 3 } }, _backend));
        Refused("a head of six widths from hidden_size to 1", () => new ImageRewardModel(SmallReward with { Head = [7, 5, 4, 3, 2, 1] }, _backend));
        Refused(
            "add_cross_attention true",
            () => new ImageRewardModel(SmallReward with { Med = SmallReward.Med with { AddCrossAttention = false } }, _backend)
        );
        Assert.All(Score(clip, 2), score => Assert.True(double.IsFinite(score)));
    }

    private static void Refused(string message, Action action) =>
        Assert.Contains(message, Assert.Throws<ModelException>(action).Message, StringComparison.Ordinal);

    private static long Count(ParameterStore store, string prefix) =>
        store.Parameters.Where(p => p.Name.StartsWith(prefix, StringComparison.Ordinal)).Sum(p => p.Shape.Count);

    private static double Operations(PlanBackend plan) => plan.Costs["Linear"].Operations + plan.Costs["Attention"].Operations;

    private static float[] Pixels(int pictures) => [.. Enumerable.Range(0, pictures * 3 * 12 * 12).Select(i => (i * 7919 % 256 / 64f) - 2)];

    private static double[] Score(IRewardModel model, int pictures)
    {
        double[] scores = new double[pictures];
        model.Score(Pixels(pictures), [[18, 3, 19], [18, 1, 2, 4, 19]], [.. Enumerable.Range(0, pictures).Select(i => i / 2 % 2)], scores);
        return scores;
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
