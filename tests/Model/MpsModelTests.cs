using CoGrpo.Model;
using CoGrpo.Model.Clip;
using CoGrpo.Model.Rewards;
using CoGrpo.Model.Tokenizers;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Backends.Plan;
using CoGrpo.Tests.Fixtures;

namespace CoGrpo.Tests.Model;

/// <summary>MPS against a plain fp64 form, as there are no golden values of the original.</summary>
public sealed class MpsModelTests
{
    private static readonly MpsConfig Small = new()
    {
        Clip = new()
        {
            EmbedDim = 12,
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
        },

        // Tokens of random weights are alike: a threshold that some of them pass and some do not.
        Layers = 2, Heads = 3, HeadWidth = 8, PadId = 19, MaskThreshold = 0.95,
    };

    private static readonly int[] Condition = [18, 4, 9, 2, 19];
    private static readonly int[][] Prompts = [[18, 3, 19], [18, 1, 2, 4, 11, 19]];

    [Fact]
    public void Scores_are_those_of_the_plain_form()
    {
        using var scope = new ModelScope();
        Check(scope);
    }

    [Fact]
    public void The_published_size_has_the_parameters_of_its_parts()
    {
        int[] condition = new int[77];
        ClipTokenizer.Published.Encode(MpsConfig.OverallCondition, condition);
        using PlanBackend plan = new();
        using MpsModel model = new(new MpsConfig(), condition, plan);
        Assert.Equal(47, 1 + Array.IndexOf(condition, 49407));
        Assert.Equal(
            986_109_441,
            model.Parameters.Parameters.Where(p => p.Name.StartsWith("model.", StringComparison.Ordinal)).Sum(p => p.Shape.Count)
        );
        Assert.Equal(
            118_497_280,
            model.Parameters.Parameters.Where(p => p.Name.StartsWith("cross_model.", StringComparison.Ordinal)).Sum(p => p.Shape.Count)
        );
        Assert.Equal(new Shape(9344, 1024), model.Parameters.Find("cross_model.layers.3.1.fn.fused_attn_ff_proj.weight")!.Shape);
    }

    [Fact]
    public void Bits_do_not_depend_on_the_batch_and_memory_is_planned()
    {
        using CpuBackend backend = new(2);
        using PlanBackend plan = new();
        using MpsModel model = Filled(new MpsModel(Small, Condition, backend)),
            split = new(Small, Condition, backend, share: model.Parameters) { BatchSize = 2 };
        using MpsModel planned = new(Small, Condition, plan);
        int[] promptOf = [0, 1, 1, 1, 0];
        double[] together = new double[5], parts = new double[5];
        model.Score(Pixels(5), Prompts, promptOf, together);
        split.Score(Pixels(5), Prompts, promptOf, parts);
        Assert.Equal(together, parts);
        Assert.Equal(5, together.Distinct().Count());
        Assert.True(split.WorkBytes < model.WorkBytes);

        // A plan keeps all tokens of a prompt, a run those that match.
        planned.Score(Pixels(5), Prompts, promptOf, parts);
        Assert.InRange(model.WorkBytes, planned.WorkBytes - 2048, planned.WorkBytes);
    }

    [Fact]
    public void Weights_that_are_not_finite_are_refused()
    {
        using CpuBackend backend = new(1);
        using MpsModel model = Filled(new MpsModel(Small, Condition, backend));
        backend.Fill(model.Parameters.Find("model.text_projection")!.Value, float.NaN);
        Assert.Contains(
            "found none",
            Assert.Throws<ModelException>(() => model.Score(Pixels(1), Prompts, [0], new double[1])).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Files_may_have_the_buffers()
    {
        using TemporaryFolder folder = new();
        using CpuBackend backend = new(2);
        using MpsModel model = Filled(new MpsModel(Small, Condition, backend));
        using ParameterStore buffers = new(backend, ElementType.Float32);
        buffers.Declare("cross_model.layers.0.0.fn.norm.bias", new Shape(12));
        buffers.Declare("cross_model.layers.1.1.fn.rotary_emb.inv_freq", new Shape(4));
        buffers.Seal();
        string path = folder.File("mps.safetensors");
        using (FileStream stream = File.Create(path))
        {
            ParameterFile.Write(stream, [("", model.Parameters, model.Parameters.Values), ("", buffers, buffers.Values)], backend);
        }

        using MpsModel read = MpsModel.Load(path, Small, Condition, backend);
        double[] wanted = new double[2], got = new double[2];
        model.Score(Pixels(2), Prompts, [0, 1], wanted);
        read.Score(Pixels(2), Prompts, [0, 1], got);
        Assert.Equal(wanted, got);
    }

    /// <summary>Scores of three pictures on any backend against the plain form, within 1e-6 of the logit scale.</summary>
    internal static void Check(ModelScope scope)
    {
        using MpsModel model = Filled(new MpsModel(Small, Condition, scope.Backend, scope.Backend.Storage));
        double[] scores = new double[3];
        int[] promptOf = [1, 0, 0];
        model.Score(Pixels(3), Prompts, promptOf, scores);
        Tape tape = scope.Tape;
        tape.Begin(recording: false, scope.Backend.Storage);
        double[][] pictures = [.. scope.Doubles(model.PictureTokens(tape, Pixels(3), 3)).Chunk(10 * 12)];
        double[] condition = Doubles(model.TextTokens(model.Padded(Condition)));
        var reference = new MpsReference(model, scope.Backend);
        int seen = 0;
        for (int i = 0; i < 3; i++)
        {
            int[] ids = Prompts[promptOf[i]];
            double[] text = Doubles(model.TextTokens(model.Padded(ids)));
            seen += reference.Seen(text, condition);
            double wanted = reference.Score(pictures[i], text, condition, ids.Length - 1);
            Assert.True(
                Math.Abs(wanted - scores[i]) <= 1e-6 * Math.E,
                $"picture {i}: {scores[i]}, wanted {wanted}, off by {Math.Abs(wanted - scores[i]):e2}"
            );
        }

        // Some tokens are masked and some are not, else the mask would not be tested.
        Assert.InRange(seen, 4, 26);
    }

    private static double[] Doubles(float[] values) => Array.ConvertAll(values, v => (double)v);

    private static float[] Pixels(int pictures) => [.. Enumerable.Range(0, pictures * 3 * 12 * 12).Select(i => (i * 7919 % 256 / 64f) - 2)];

    private static MpsModel Filled(MpsModel model)
    {
        Initialisation.FromScratch(model.Parameters, model.Backend, 5);
        return model;
    }
}
