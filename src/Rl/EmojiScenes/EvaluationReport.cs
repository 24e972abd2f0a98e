using CoGrpo.Rl.Evaluation;

namespace CoGrpo.Rl.EmojiScenes;

/// <summary>Scores of an <see cref="EvaluationSet"/>.</summary>
public sealed class EvaluationReport
{
    private readonly TaskScores[] _tasks;

    internal EvaluationReport(TaskScores[] tasks, int picturesPerTask)
    {
        _tasks = tasks;
        double variance = 0;
        foreach (TaskScores task in tasks)
        {
            Mean = new TaskScores(Mean.Judge + (task.Judge / tasks.Length), Mean.Adherence + (task.Adherence / tasks.Length),
                Mean.Fidelity + (task.Fidelity / tasks.Length), Mean.Diversity + (task.Diversity / tasks.Length));
            variance += task.Judge * (1 - task.Judge) / picturesPerTask;
        }

        JudgeStandardError = Math.Sqrt(variance) / tasks.Length;
    }

    /// <summary>The scores of each task.</summary>
    public ReadOnlySpan<TaskScores> Tasks => _tasks;

    /// <summary>The mean of the six tasks.</summary>
    public TaskScores Mean { get; }

    /// <summary>
    /// Standard error of the mean judge by binomial count within tasks. Pictures of one prompt are correlated, so the true one is larger.
    /// </summary>
    public double JudgeStandardError { get; }

    /// <summary>The scores under names: the judge, split by task, and what it is watched with.</summary>
    public ScoreSheet Sheet() =>
        new(
            [
                new("judge", Mean.Judge, 3, JudgeStandardError),
                new("adherence", Mean.Adherence),
                new("fidelity", Mean.Fidelity),
                new("diversity", Mean.Diversity, 2),
            ],
            [.. _tasks.Select((task, i) => new Score(((SceneTask)i).ToString().ToLowerInvariant(), task.Judge, 2))]
        );

    /// <summary>The scores of one task.</summary>
    public TaskScores Of(SceneTask task) => _tasks[(int)task];
}
