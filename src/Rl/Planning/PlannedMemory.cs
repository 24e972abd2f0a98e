using CoGrpo.Runtime;

namespace CoGrpo.Rl.Planning;

/// <summary>The most memory that a run holds, by what it is for.</summary>
public sealed record PlannedMemory
{
    private static readonly Dictionary<string, MemoryCategory> Categories = new(StringComparer.Ordinal)
    {
        ["parameters"] = MemoryCategory.Parameters,
        ["gradients"] = MemoryCategory.Gradients,
        ["optimizer"] = MemoryCategory.Optimizer,
        ["average"] = MemoryCategory.Optimizer,
        ["activations"] = MemoryCategory.Activations,
        ["activation gradients"] = MemoryCategory.Activations,
        ["inputs"] = MemoryCategory.Activations,
        ["tables"] = MemoryCategory.Activations,
        ["sampler"] = MemoryCategory.Activations,
        ["trajectories"] = MemoryCategory.Trajectories,
        ["recorded features"] = MemoryCategory.Trajectories,
        ["text encoder parameters"] = MemoryCategory.TextModel,
        ["prompts"] = MemoryCategory.TextModel,
        ["schedule policy parameters"] = MemoryCategory.SchedulePolicy,
        ["schedule policy gradients"] = MemoryCategory.SchedulePolicy,
        ["schedule"] = MemoryCategory.SchedulePolicy,
        ["schedule inputs"] = MemoryCategory.SchedulePolicy,
        ["picture model parameters"] = MemoryCategory.PictureModel,
        ["pictures"] = MemoryCategory.PictureModel,
        ["reward model parameters"] = MemoryCategory.RewardModels,
        ["rewards"] = MemoryCategory.RewardModels,
        ["workspace"] = MemoryCategory.Workspace,
    };

    private PlannedMemory(IReadOnlyDictionary<MemoryCategory, long> bytes, long peakBytes) => (Bytes, PeakBytes) = (bytes, peakBytes);

    /// <summary>Peak of each category; those a run does not use are left out.</summary>
    public IReadOnlyDictionary<MemoryCategory, long> Bytes { get; }

    /// <summary>Most bytes held at once.</summary>
    public long PeakBytes { get; }

    /// <summary>The sum of what the backends of a run hold, and of <paramref name="workspace"/> bytes that no arena holds.</summary>
    /// <exception cref="InvalidOperationException">A ledger has an arena of an unknown name.</exception>
    public static PlannedMemory Of(IEnumerable<MemoryLedger> ledgers, long workspace = 0)
    {
        SortedDictionary<MemoryCategory, long> bytes = [];
        if (workspace > 0)
        {
            bytes[MemoryCategory.Workspace] = workspace;
        }

        long peak = workspace;
        foreach (MemoryLedger ledger in ledgers)
        {
            peak += ledger.PeakBytes;
            foreach ((string arena, _, long held) in ledger.Arenas)
            {
                MemoryCategory category = Categories.TryGetValue(arena, out MemoryCategory known)
                    ? known
                    : throw new InvalidOperationException($"memory plan: no category for arena {arena}; add it to {nameof(PlannedMemory)}");
                bytes[category] = bytes.GetValueOrDefault(category) + held;
            }
        }

        return new PlannedMemory(bytes, peak);
    }
}
