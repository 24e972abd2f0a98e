using CoGrpo.Model;
using CoGrpo.Model.Clip;
using CoGrpo.Model.Meissonic;
using CoGrpo.Model.Schedule;
using CoGrpo.Model.TextToImage;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.EmojiScenes;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Bench.Suites;

/// <summary>The quick-start model (preset emoji-scenes) with random weights, one lane per core, and the cost of its forward pass.</summary>
public sealed class QuickStart : IDisposable
{
    private readonly CpuBackend _backend = new();

    public QuickStart(RunConfiguration configuration)
    {
        Model = new TextToImageModel(RunFactory.Transformer(configuration.Model), RunFactory.TextEncoder(configuration.Model.TextEncoder), _backend);
        Initialisation.FromScratch(Model.Transformer.Parameters, _backend, 1);
        Initialisation.FromScratch(Model.TextEncoder.Parameters, _backend, 2);
        Policy = new SchedulePolicy(SchedulePolicyConfig.ForWidth(configuration.Schedule.PolicyWidth), _backend);
        Initialisation.SchedulePolicy(Policy.Parameters, _backend, 3);
        var setup = new LaneSetup(
            Model,
            Policy,
            RunFactory.Parametrization(configuration),
            configuration.Sampling.Steps,
            RunFactory.TrainedActions(configuration.Schedule),
            Layout.Tokenizer.GridHeight,
            Layout.Tokenizer.GridWidth,
            4,
            configuration.Sampling.MicroBatch,
            TimeInput.MaskedFraction
        );
        Lanes = new LaneSet(setup, Environment.ProcessorCount, () => new CpuBackend(1));
    }

    public static SceneLayout Layout => SceneLayout.TwoByTwo;

    public static int Codes => Layout.CodeCount;

    public TextToImageModel Model { get; }

    public SchedulePolicy Policy { get; }

    public LaneSet Lanes { get; }

    /// <summary>Billions of operations of one transformer forward for one image with logits at <paramref name="headRows"/> codes.</summary>
    public static double Forward(double headRows)
    {
        TransformerConfig config = RunFactory.Transformer(new RunConfiguration().Model);
        return 2e-9
            * TransformerCost.ForwardMacs(config, SceneWords.Tokenizer.Length, Layout.Tokenizer.GridHeight, Layout.Tokenizer.GridWidth, headRows);
    }

    /// <summary>Billions of operations of one text encoder forward for one prompt.</summary>
    public static double Text => 2e-9 * ClipTextCost.ForwardMacs(RunFactory.TextEncoder(new RunConfiguration().Model.TextEncoder));

    /// <summary>Masked codes before each of T steps of the hand-made schedule.</summary>
    public static int[] Masked(int steps)
    {
        HandMadeSettings hand = RunFactory.HandMade(new RunConfiguration().Sampling.HandMade);
        int[] masked = new int[steps];
        masked[0] = Codes;
        for (int t = 1; t < steps; t++)
        {
            masked[t] = RemaskCount.Of(Codes, hand.At(t - 1, steps).Remask, masked[t - 1], t - 1, steps);
        }

        return masked;
    }

    public void Dispose()
    {
        Lanes.Dispose();
        Policy.Dispose();
        Model.Dispose();
        _backend.Dispose();
    }
}
