using CoGrpo.Model;
using CoGrpo.Rl.Benchmarks;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Prompts;

namespace CoGrpo.Rl.Serving;

/// <summary>The prompts of an evaluation.</summary>
/// <param name="Title">Where they come from, for the report.</param>
/// <param name="Prompts">One or more; picture i of n per prompt shows prompt i / n.</param>
/// <param name="Styles">Parts with columns of their own; none for most sources.</param>
public sealed record EvaluationPrompts(string Title, IReadOnlyList<TextPrompt> Prompts, IReadOnlyList<PromptStyle> Styles)
{
    /// <summary>
    /// All prompts of a file (<see cref="PromptFile"/>; repetitions are kept), or of the HPDv2 benchmark's folder by style. With
    /// <paramref name="limit"/> the first so many, of each style.
    /// </summary>
    /// <exception cref="ModelException">The source cannot be used.</exception>
    public static EvaluationPrompts Of(string path, int? limit)
    {
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
        if (!Directory.Exists(path))
        {
            IReadOnlyList<string> all = PromptFile.Read(path);
            return new EvaluationPrompts(
                TitleOf(name, all.Count, limit),
                [.. all.Take(limit ?? all.Count).Select(prompt => new TextPrompt(prompt))],
                []
            );
        }

        List<TextPrompt> prompts = [];
        List<PromptStyle> styles = [];
        IReadOnlyList<HpdStyle> benchmark = HpdBenchmark.Read(path);
        foreach (HpdStyle style in benchmark)
        {
            int first = prompts.Count;
            prompts.AddRange(style.Prompts.Take(limit ?? style.Prompts.Count).Select(prompt => new TextPrompt(prompt)));
            styles.Add(new PromptStyle(style.Label, first, prompts.Count - first));
        }

        return new EvaluationPrompts(
            TitleOf($"the HPDv2 benchmark in {name}", benchmark.Sum(style => style.Prompts.Count), limit) + (limit is null ? "" : " of each style"),
            prompts,
            styles
        );
    }

    /// <summary>Those of a configuration's held-out prompts, or training prompts, that an evaluation while training would use.</summary>
    /// <exception cref="ModelException">A file of prompts cannot be used.</exception>
    public static EvaluationPrompts Of(RunConfiguration configuration, bool training)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        PromptSplit split = PromptSplit.Read(configuration.Data.PromptFiles, configuration.Data.HeldOutFiles);
        IReadOnlyList<TextPrompt> all = training ? split.Train : split.HeldOut;
        EvaluationConfiguration evaluation = configuration.Train.Evaluation;
        TextPrompt[] chosen = PromptSplit.Choose(all, evaluation.PromptsPerTask, (ulong)evaluation.Seed);
        string files = string.Join(
            ", ",
            configuration.Data.PromptFiles.Concat(configuration.Data.HeldOutFiles).Select(path => Path.GetFileName(path))
        );
        return new EvaluationPrompts($"{(training ? "training" : "held-out")} prompts of {files}, {chosen.Length} of {all.Count}", chosen, []);
    }

    private static string TitleOf(string name, int all, int? limit) =>
        limit < all ? $"prompts of {name}, the first {limit}" : $"all {all} prompts of {name}";
}
