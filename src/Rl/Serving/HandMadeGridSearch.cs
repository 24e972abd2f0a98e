using System.Globalization;
using CoGrpo.Rl.EmojiScenes;
using CoGrpo.Rl.Evaluation;
using CoGrpo.Rl.Logging;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Serving;

/// <summary>
/// Finds the best hand-made schedule of a grid by the judge on training prompts; the result depends on model, plan, steps and seed alone.
/// </summary>
public static class HandMadeGridSearch
{
    /// <summary>
    /// Runs the rounds. Within a round all candidates see the same prompts and the same noise; each round has its own, so that a lucky draw
    /// is not carried on. Order is by judge, then adherence, then place in the grid.
    /// </summary>
    public static GridSearchResult Run(
        ServingSession session,
        GridSearchPlan plan,
        int steps,
        ulong seed,
        IProgressReporter progress,
        CancellationToken cancellation
    )
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(progress);
        IReadOnlyList<HandMadeSettings> candidates = plan.Candidates();
        var scores = new List<GridSearchScore>();
        long total = Pictures(plan, candidates.Count);
        long done = 0;
        progress.Begin($"search, {steps} steps", total);
        for (int round = 0; round < plan.Rounds.Count; round++)
        {
            GridSearchRound size = plan.Rounds[round];
            ulong roundSeed = unchecked(seed + 1000 + (ulong)round);
            var set = new EvaluationSet(PromptSet.Train, size.PromptsPerTask, roundSeed, size.Samples);
            var evaluator = new SceneEvaluator(session.Lanes, session.Layout, set, roundSeed);
            var found = new List<GridSearchScore>();
            double best = 0;
            foreach (HandMadeSettings settings in candidates.Take(size.Candidates))
            {
                cancellation.ThrowIfCancellationRequested();
                EvaluationReport report = evaluator.Run(steps, new HandMadeSchedule(settings), cancellation);
                found.Add(new GridSearchScore(round + 1, settings, set.Count, report));
                best = Math.Max(best, report.Mean.Judge);
                done += set.Count;
                progress.Report(done, string.Create(CultureInfo.InvariantCulture, $"round {round + 1}, best judge {best:f3}"));
            }

            // A stable sort: equals keep the order of the round before.
            GridSearchScore[] ordered =
            [
                .. found.OrderByDescending(score => score.Report.Mean.Judge).ThenByDescending(score => score.Report.Mean.Adherence),
            ];
            scores.AddRange(ordered);
            candidates = [.. ordered.Select(score => score.Settings)];
        }

        progress.End();
        return new GridSearchResult(steps, scores);
    }

    private static long Pictures(GridSearchPlan plan, int candidates)
    {
        long total = 0;
        foreach (GridSearchRound round in plan.Rounds)
        {
            candidates = Math.Min(candidates, round.Candidates);
            total += (long)candidates * PromptSet.TaskCount * round.PromptsPerTask * round.Samples;
        }

        return total;
    }
}
