namespace CoGrpo.Rl.Configuration;

/// <summary>The named sets of defaults.</summary>
public static class Presets
{
    /// <summary>
    /// The complete configuration of a preset. It obeys every rule, except that <c>paper</c> has no prompt file and no checkpoint to name.
    /// </summary>
    public static RunConfiguration Of(PresetName name) => name == PresetName.Paper ? Paper() : new RunConfiguration();

    /// <summary>The preset's name in JSON.</summary>
    public static string NameOf(PresetName name) => SettingInfo.EnumNames(typeof(PresetName))[(int)name];

    private static RunConfiguration Paper() => new()
    {
        Preset = PresetName.Paper,
        Data = new() { Name = DataName.Prompts },
        Model = new()
        {
            AttentionHeadDim = 128,
            NumAttentionHeads = 8,
            NumLayers = 14,
            NumSingleLayers = 28,
            JointAttentionDim = 1024,
            PooledProjectionDim = 1024,
            AxesDimsRope = [16, 56, 56],
            CodebookSize = 8192,
            VocabSize = 8256,
            Downsample = true,
            Upsample = true,
            Time = TimeName.StepCounter,
            TextEncoder = new()
            {
                HiddenSize = 1024,
                IntermediateSize = 4096,
                NumHiddenLayers = 24,
                NumAttentionHeads = 16,
                MaxPositionEmbeddings = 77,
                VocabSize = 49408,
                ProjectionDim = 1024,
                EosTokenId = 2,
            },
        },
        Sampling = new() { Steps = 48, HandMade = new() { Guidance = 9 }, MicroBatch = 8 },
        Schedule = new() { PolicyWidth = 1024, Sigma = [0.3, 0.3, 0.3, 0.3] },
        Train = new()
        {
            Cycles = [new() { Model = 100, Schedule = 67 }, new() { Model = 100, Schedule = 67 }, new() { Model = 100, Schedule = 66 }],
            Model = new() { LearningRate = 1e-5, StepsTrained = 0, MicroBatch = 1, Warmup = 10 },
            Schedule = new() { LearningRate = 1e-4 },
            Rewards = [new() { Name = RewardName.ImageReward, Weight = 0.5 }, new() { Name = RewardName.HpsV2, Weight = 0.5 }],
            Evaluation = new() { Every = 50, Steps = [48] },
            CheckpointEvery = 20,
        },
        Output = new() { Directory = "runs/meissonic" },
    };
}
