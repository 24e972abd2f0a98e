using CoGrpo.Model;
using CoGrpo.Model.Clip;
using CoGrpo.Model.Meissonic;
using CoGrpo.Model.Schedule;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.EmojiScenes;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Training;

/// <summary>Makes the parts of a run from its configuration.</summary>
public static class RunFactory
{
    /// <summary>The hand-made schedule.</summary>
    public static HandMadeSettings HandMade(HandMadeConfiguration configuration) => new()
    {
        Guidance = configuration.Guidance,
        CosineExponent = configuration.CosineExponent,
        RemaskTemperature = configuration.RemaskTemperature,
        SamplingTemperature = configuration.SamplingTemperature,
        Table1Literal = configuration.Table1Literal,
    };

    /// <summary>The action space of the learned schedule over the hand-made one.</summary>
    public static ScheduleParametrization Parametrization(RunConfiguration configuration)
    {
        HandMadeSettings hand = HandMade(configuration.Sampling.HandMade);

        // 1 + exp(z) has no finite start at s = 1. When guidance is not trained its residual is never used, so any start will do.
        bool guidanceTrained = configuration.Schedule.Actions.Contains(ScheduleActionName.Guidance);
        return new ScheduleParametrization(new ScheduleParametrizationSettings
        {
            HandMade = guidanceTrained || hand.Guidance > 1 ? hand : hand with { Guidance = 1 + 1e-12 },
            Mode = configuration.Schedule.Mode == ScheduleMode.Relative ? RemaskMode.Relative : RemaskMode.Absolute,
            SigmaRemask = configuration.Schedule.Sigma[0],
            SigmaSamplingTemperature = configuration.Schedule.Sigma[1],
            SigmaRemaskTemperature = configuration.Schedule.Sigma[2],
            SigmaGuidance = configuration.Schedule.Sigma[3],
            Smoothing = configuration.Schedule.Smoothing,
        });
    }

    /// <summary>Which of r, τ_s, τ_r, s the policy controls.</summary>
    public static IReadOnlyList<bool> TrainedActions(ScheduleConfiguration configuration) =>
    [
        configuration.Actions.Contains(ScheduleActionName.RemaskRatio),
        configuration.Actions.Contains(ScheduleActionName.SamplingTemperature),
        configuration.Actions.Contains(ScheduleActionName.RemaskTemperature),
        configuration.Actions.Contains(ScheduleActionName.Guidance),
    ];

    /// <summary>The transformer's architecture.</summary>
    public static TransformerConfig Transformer(ModelConfiguration c) => new()
    {
        AttentionHeadDim = c.AttentionHeadDim,
        NumAttentionHeads = c.NumAttentionHeads,
        NumLayers = c.NumLayers,
        NumSingleLayers = c.NumSingleLayers,
        JointAttentionDim = c.JointAttentionDim,
        PooledProjectionDim = c.PooledProjectionDim,
        AxesDimsRope = c.AxesDimsRope,
        CodebookSize = c.CodebookSize,
        VocabSize = c.VocabSize,
        Downsample = c.Downsample,
        Upsample = c.Upsample,
    };

    /// <summary>The text encoder's architecture.</summary>
    public static ClipTextConfig TextEncoder(TextEncoderConfiguration c) => new()
    {
        HiddenSize = c.HiddenSize,
        IntermediateSize = c.IntermediateSize,
        NumHiddenLayers = c.NumHiddenLayers,
        NumAttentionHeads = c.NumAttentionHeads,
        MaxPositionEmbeddings = c.MaxPositionEmbeddings,
        VocabSize = c.VocabSize,
        ProjectionDim = c.ProjectionDim,
        LayerNormEps = (float)c.LayerNormEps,
        EosTokenId = c.EosTokenId,
    };

    /// <summary>
    /// Rows and columns of codes in a picture of the size a published transformer was made for: 1024 px where it halves its grid, else 512 px.
    /// </summary>
    public static int PublishedSide(TransformerConfig transformer) => transformer.Downsample ? 64 : 32;

    /// <summary>The scene layout of the data section.</summary>
    /// <exception cref="ModelException">The data set has no scenes.</exception>
    public static SceneLayout Layout(DataConfiguration data) => data.Grid == 3 ? SceneLayout.ThreeByThree : SceneLayout.TwoByTwo;

    /// <summary>What the model is told about time.</summary>
    public static TimeInput Time(ModelConfiguration model) => model.Time == TimeName.StepCounter ? TimeInput.StepCounter : TimeInput.MaskedFraction;
}
