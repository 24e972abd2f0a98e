namespace CoGrpo.Rl.Benchmarks;

/// <summary>Benchmarks whose official evaluators look at folders of pictures.</summary>
public enum BenchmarkName
{
    /// <summary>GenEval: objects, counts, colours and positions, found by a detector.</summary>
    GenEval,

    /// <summary>DPG-Bench: long prompts, judged by questions.</summary>
    Dpg,

    /// <summary>HPDv2 benchmark: Human Preference Score by style.</summary>
    HpsV2,
}
