using CoGrpo.Model.Images;
using CoGrpo.Rl.Evaluation;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Runs;

/// <summary>
/// Samples held-out prompts and scores the pictures. Prompts and noise depend on the evaluation's seed alone, so checkpoints are comparable.
/// </summary>
internal interface IRunEvaluator
{
    /// <summary>Samples every picture in T = <paramref name="steps"/> steps with mean actions and scores them.</summary>
    /// <param name="steps">T.</param>
    /// <param name="schedule">Null for the learned schedule, else this one.</param>
    /// <param name="cancellation">Checked between groups of pictures and while they are scored.</param>
    ScoreSheet Run(int steps, ISchedule? schedule, CancellationToken cancellation);

    /// <summary>Some pictures of the last run with their prompts, the same ones every time.</summary>
    RgbImage Grid();
}
