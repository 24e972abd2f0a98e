using CoGrpo.Model.Tokenizers;
using CoGrpo.Rl.Training;

namespace CoGrpo.Rl.Runs;

/// <summary>What a run draws and how it is judged: prompts, codes to pictures, rewards, measures that are never trained on.</summary>
internal interface IRunData : IDisposable
{
    /// <summary>A few words for the heading of a report.</summary>
    string Title { get; }

    /// <summary>How the held-out scores are made, a sentence for a report.</summary>
    string EvaluationNote { get; }

    /// <summary>Codes to pictures.</summary>
    IImageTokenizer Pictures { get; }

    /// <summary>Picture pixels per code in each direction.</summary>
    int PixelsPerCode { get; }

    /// <summary>Training prompts.</summary>
    IPromptSource Prompts { get; }

    /// <summary>In the order of the configuration.</summary>
    IReadOnlyList<IReward> Rewards { get; }

    /// <summary>Measures of rollouts that are never trained on.</summary>
    IRolloutWatch Watch { get; }

    /// <summary>The held-out evaluation, with <paramref name="lanes"/>; valid as long as both.</summary>
    IRunEvaluator Evaluator(LaneSet lanes);
}
