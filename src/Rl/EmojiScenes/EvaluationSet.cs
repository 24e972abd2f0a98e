using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Rl.EmojiScenes;

/// <summary>
/// A fixed list of prompts to evaluate on: per task a number of prompts drawn with replacement from one split, each with several pictures.
/// The pictures' order is task, prompt, sample. A task's prompts depend on the seed alone, so a larger set begins each task with the smaller set's.
/// </summary>
public sealed class EvaluationSet
{
    private readonly Prompt[] _prompts;

    /// <summary>Draws <paramref name="promptsPerTask"/> prompts of each task from <paramref name="split"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1.</exception>
    public EvaluationSet(PromptSet split, int promptsPerTask, ulong seed, int samples = 8)
    {
        ArgumentNullException.ThrowIfNull(split);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(promptsPerTask);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(samples);
        PromptsPerTask = promptsPerTask;
        Samples = samples;
        _prompts = new Prompt[checked(PromptSet.TaskCount * promptsPerTask * samples)];
        for (int task = 0; task < PromptSet.TaskCount; task++)
        {
            var random = new RandomSequence(seed, RandomStream.Evaluation, (ulong)task);
            for (int i = 0; i < promptsPerTask; i++)
            {
                _prompts.AsSpan(((task * promptsPerTask) + i) * samples, samples).Fill(split.Draw((SceneTask)task, ref random));
            }
        }
    }

    /// <summary>Prompts of each task.</summary>
    public int PromptsPerTask { get; }

    /// <summary>Pictures of each prompt.</summary>
    public int Samples { get; }

    /// <summary>Number of pictures: 6 x <see cref="PromptsPerTask"/> x <see cref="Samples"/>.</summary>
    public int Count => _prompts.Length;

    /// <summary>The prompt of every picture, in the order task, prompt, sample.</summary>
    public ReadOnlySpan<Prompt> Prompts => _prompts;

    /// <summary>Reads the pictures of the whole set, [<see cref="Count"/>, N] in the set's order.</summary>
    /// <exception cref="ArgumentException">The number of codes is wrong, or a code is not in the codebook.</exception>
    public EvaluationReport Report(SceneLayout layout, ReadOnlySpan<int> codes)
    {
        ArgumentNullException.ThrowIfNull(layout);
        if (codes.Length != (long)Count * layout.CodeCount)
        {
            throw new ArgumentException(
                $"codes: wanted {Count} x {layout.CodeCount}, got {codes.Length}; pass every picture of the set",
                nameof(codes)
            );
        }

        var reader = new SceneReader(layout);
        var adherence = new Adherence(layout);
        var fidelity = new Fidelity(layout);
        var judge = new Judge(layout);
        var cells = new SceneCell[Samples * layout.CellCount];
        var tasks = new TaskScores[PromptSet.TaskCount];
        for (int first = 0; first < Count; first += Samples)
        {
            Prompt prompt = _prompts[first];
            TaskScores sum = tasks[(int)prompt.Task];
            for (int sample = 0; sample < Samples; sample++)
            {
                Span<SceneCell> picture = cells.AsSpan(sample * layout.CellCount, layout.CellCount);
                reader.Read(codes.Slice((first + sample) * layout.CodeCount, layout.CodeCount), picture);
                sum = new TaskScores(sum.Judge + judge.Of(prompt, picture), sum.Adherence + adherence.Of(prompt, picture),
                    sum.Fidelity + fidelity.Of(prompt, picture), sum.Diversity);
            }

            tasks[(int)prompt.Task] = sum with { Diversity = sum.Diversity + Diversity.Of(layout, cells) };
        }

        int pictures = PromptsPerTask * Samples;
        for (int task = 0; task < tasks.Length; task++)
        {
            TaskScores sum = tasks[task];
            tasks[task] = new TaskScores(sum.Judge / pictures, sum.Adherence / pictures, sum.Fidelity / pictures, sum.Diversity / PromptsPerTask);
        }

        return new EvaluationReport(tasks, pictures);
    }
}
