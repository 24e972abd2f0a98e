using CoGrpo.Model;
using CoGrpo.Model.Clip;
using CoGrpo.Model.Meissonic;
using CoGrpo.Model.Schedule;
using CoGrpo.Model.TextToImage;
using CoGrpo.Rl.Configuration;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Tests.Rl.Serving;

/// <summary>A random EmojiScenes model of two heads of 32 and one block with a learned schedule, as a checkpoint in a temporary folder.</summary>
internal sealed class ServingModel : IDisposable
{
    public const int TrainedSteps = 4;

    /// <summary>The raw action that the policy of <see cref="ServingModel(bool)"/> with a constant policy gives at every step.</summary>
    public static readonly float[] ConstantAction = [0.4f, -0.3f, 0.2f, 0.5f];

    private readonly TemporaryFolder _folder = new();

    /// <param name="constantPolicy">A policy whose action depends on nothing; otherwise a random one.</param>
    public ServingModel(bool constantPolicy = false)
    {
        using var backend = new CpuBackend(1);
        var transformer = new TransformerConfig
        {
            AttentionHeadDim = 32,
            NumAttentionHeads = 2,
            NumLayers = 0,
            NumSingleLayers = 1,
            JointAttentionDim = 32,
            PooledProjectionDim = 64,
            AxesDimsRope = [8, 12, 12],
            CodebookSize = 431,
            VocabSize = 432,
            Downsample = false,
            Upsample = false,
        };
        var text = new ClipTextConfig
        {
            HiddenSize = 32,
            IntermediateSize = 32,
            NumHiddenLayers = 1,
            NumAttentionHeads = 2,
            MaxPositionEmbeddings = 8,
            VocabSize = 53,
            ProjectionDim = 64,
            EosTokenId = -1,
        };
        using var model = new TextToImageModel(transformer, text, backend);
        Initialisation.FromScratch(model.Transformer.Parameters, backend, 1);
        Initialisation.FromScratch(model.TextEncoder.Parameters, backend, 2);
        model.Save(Checkpoint);

        using var policy = new SchedulePolicy(SchedulePolicyConfig.ForWidth(64), backend);
        if (!constantPolicy)
        {
            Initialisation.FromScratch(policy.Parameters, backend, 3);
        }

        Parameter bias = policy.Parameters.Find("linear3.bias")!;
        backend.Upload<float>(ConstantAction, bias.Value);
        SchedulePolicyFolder.Save(Path.Combine(Checkpoint, SchedulePolicyFolder.Name), policy, Settings);
    }

    public static SchedulePolicySettings Settings { get; } = new(TrainedSteps, [true, true, false, true], new ScheduleParametrizationSettings
    {
        HandMade = new HandMadeSettings { Guidance = 1.5, CosineExponent = 0.6, RemaskTemperature = 1.25, SamplingTemperature = 0.8 },
        SigmaRemask = 0.1,
        SigmaGuidance = 0.2,
        Smoothing = 0.25,
    });

    public string Checkpoint => _folder.File("checkpoint");

    public string At(string name) => _folder.File(name);

    /// <summary>A small configuration that writes to the folder <paramref name="output"/>.</summary>
    public RunConfiguration Configuration(string output, int lanes = 1) => new()
    {
        Threads = lanes,
        Model = new() { Checkpoint = Checkpoint },
        Sampling = new() { Steps = 3, MicroBatch = 4 },
        Train = new() { Evaluation = new() { PromptsPerTask = 1, Samples = 2, Steps = [2, TrainedSteps] } },
        Output = new() { Directory = At(output) },
    };

    public void Dispose() => _folder.Dispose();
}
