namespace CoGrpo.Model.Lora;

/// <summary>The projections of a Meissonic transformer that can have adapters, by the endings of their published names and in two groups.</summary>
public static class LoraTargets
{
    /// <summary>Group of all projections in front of and behind attention, the added ones of the text stream included.</summary>
    public const string Attention = "attention";

    /// <summary>
    /// Group of all projections of the MLPs. <c>proj_out</c> of a single-stream block reads attention and MLP together and is in both groups.
    /// </summary>
    public const string Mlp = "mlp";

    private static readonly string[] AttentionEndings =
    [
        "to_q",
        "to_k",
        "to_v",
        "to_out.0",
        "add_q_proj",
        "add_k_proj",
        "add_v_proj",
        "to_add_out",
        "proj_out",
    ];
    private static readonly string[] MlpEndings = ["ff.net.0.proj", "ff.net.2", "ff_context.net.0.proj", "ff_context.net.2", "proj_mlp", "proj_out"];

    /// <summary>Every word a target can be.</summary>
    public static IReadOnlyList<string> Known { get; } = [Attention, Mlp, .. AttentionEndings.Union(MlpEndings)];

    /// <summary>The endings that <paramref name="target"/> stands for: those of a group, or itself.</summary>
    public static IReadOnlyList<string> Endings(string target) => target switch
    {
        Attention => AttentionEndings,
        Mlp => MlpEndings,
        _ => [target],
    };

    /// <summary>Whether the published name <paramref name="module"/> is <paramref name="ending"/> or ends with it after a dot.</summary>
    public static bool Matches(string module, string ending) =>
        module == ending || (module.EndsWith(ending, StringComparison.Ordinal) && module[^(ending.Length + 1)] == '.');

    /// <summary>The adapters that <paramref name="config"/> asks for, in the order of <paramref name="slots"/>.</summary>
    /// <exception cref="ModelException">A target is unknown, or this model has no projection for any of them.</exception>
    public static IReadOnlyList<LoraShape> Select(LoraConfig config, IEnumerable<LoraSlot> slots)
    {
        ArgumentNullException.ThrowIfNull(config);
        if (config.Targets.FirstOrDefault(t => !Known.Contains(t)) is { } unknown)
        {
            throw new ModelException($"LoRA target: wanted one of {string.Join(", ", Known)}, got {unknown}; correct the targets");
        }

        string[] endings = [.. config.Targets.SelectMany(Endings).Distinct()];
        LoraShape[] shapes =
        [
            .. slots.Where(s => endings.Any(e => Matches(s.Module, e))).Select(s => new LoraShape(s.Module, config.Rank, config.Alpha)),
        ];
        return shapes.Length > 0
            ? shapes
            : throw new ModelException($"LoRA targets: wanted projections of this model, got {string.Join(", ", config.Targets)}, which it has none of; use {Attention} or {Mlp}");
    }
}
