using CoGrpo.Runtime.Files;

namespace CoGrpo.Model.Lora;

/// <summary>The tensors of one adapter in a file, by their names there, checked against the projection they belong to.</summary>
/// <param name="Slot">The projection.</param>
/// <param name="Down">A [r,K].</param>
/// <param name="Up">B [N,r].</param>
/// <param name="Alpha">α as the file gives it for this adapter, or null.</param>
/// <param name="Rank">r.</param>
internal sealed record LoraTensors(LoraSlot Slot, string Down, string Up, double? Alpha, int Rank)
{
    private static readonly string[] DownEndings = [LoraNames.A, LoraNames.Down];
    private static readonly string[] UpEndings = [LoraNames.B, LoraNames.Up];

    /// <summary>The adapters of a file in the order of <paramref name="slots"/>.</summary>
    /// <exception cref="ModelException">Names are unknown, halves are missing or shapes do not fit: all are listed at once.</exception>
    public static IReadOnlyList<LoraTensors> Sort(string path, SafetensorsFile file, IReadOnlyList<LoraSlot> slots)
    {
        List<string> problems = [];
        Dictionary<string, LoraSlot> known = slots.ToDictionary(s => LoraNames.Canonical(s.Module), StringComparer.Ordinal);
        var parts = new Dictionary<LoraSlot, (SafetensorsTensor? Down, SafetensorsTensor? Up, SafetensorsTensor? Alpha)>();
        foreach (SafetensorsTensor tensor in file.Tensors.Values.OrderBy(t => t.Name, StringComparer.Ordinal))
        {
            string? down = DownEndings.FirstOrDefault(e => tensor.Name.EndsWith(e, StringComparison.Ordinal));
            string? up = UpEndings.FirstOrDefault(e => tensor.Name.EndsWith(e, StringComparison.Ordinal));
            string? ending = down ?? up ?? (tensor.Name.EndsWith(LoraNames.Alpha, StringComparison.Ordinal) ? LoraNames.Alpha : null);
            if (ending is null || !known.TryGetValue(LoraNames.Canonical(tensor.Name[..^ending.Length]), out LoraSlot? slot))
            {
                problems.Add($"{tensor.Name} is not an adapter of a projection of this model");
                continue;
            }

            (SafetensorsTensor? Down, SafetensorsTensor? Up, SafetensorsTensor? Alpha) part = parts.GetValueOrDefault(slot);
            SafetensorsTensor? taken = down is not null ? part.Down : up is not null ? part.Up : part.Alpha;
            if (taken is not null)
            {
                problems.Add($"{tensor.Name} and {taken.Name} are the same tensor under two names");
            }

            parts[slot] = down is not null ? part with { Down = tensor } : up is not null ? part with { Up = tensor } : part with { Alpha = tensor };
        }

        List<LoraTensors> sorted = [];
        foreach (LoraSlot slot in slots)
        {
            if (
                parts.TryGetValue(slot, out (SafetensorsTensor? Down, SafetensorsTensor? Up, SafetensorsTensor? Alpha) part)
                && Fit(file, slot, part.Down, part.Up, part.Alpha, problems) is { } fit
            )
            {
                sorted.Add(fit);
            }
        }

        if (problems.Count == 0 && sorted.Count == 0)
        {
            problems.Add("it holds no tensors");
        }

        const int Shown = 12;
        string more = problems.Count > Shown ? $"; and {problems.Count - Shown} more" : "";
        return problems.Count == 0
            ? sorted
            : throw new ModelException(
                $"{path}: adapters do not fit the model: {string.Join("; ", problems.Take(Shown))}{more}; use adapters trained on this model"
            );
    }

    private static LoraTensors? Fit(
        SafetensorsFile file,
        LoraSlot slot,
        SafetensorsTensor? down,
        SafetensorsTensor? up,
        SafetensorsTensor? alpha,
        List<string> problems
    )
    {
        int before = problems.Count;
        if (down is null || up is null)
        {
            string missing = down is null ? "A (lora_A or lora_down)" : "B (lora_B or lora_up)";
            problems.Add($"{slot.Module}: {missing} is missing");
            return null;
        }

        long rank = down.Shape.Length == 2 ? down.Shape[0] : 0;
        Check(down, rank > 0 && down.Shape[1] == slot.Inputs, $"[r,{slot.Inputs}]");
        Check(
            up,
            up.Shape.Length == 2 && up.Shape[0] == slot.Outputs && (rank == 0 || up.Shape[1] == rank),
            $"[{slot.Outputs},{(rank > 0 ? rank : "r")}]"
        );
        double? value = null;
        if (alpha is not null && Check(alpha, alpha.Count == 1, "one number"))
        {
            value = file.ReadFloat32(alpha.Name)[0];
            if (!double.IsFinite(value.Value))
            {
                problems.Add($"{alpha.Name} is {value}, wanted a finite number");
            }
        }

        return problems.Count == before ? new LoraTensors(slot, down.Name, up.Name, value, checked((int)rank)) : null;

        bool Check(SafetensorsTensor tensor, bool fits, string wanted)
        {
            if (!fits)
            {
                problems.Add($"{tensor.Name} is [{string.Join(',', tensor.Shape.ToArray())}], wanted {wanted}");
            }
            else if (tensor.Type > SafetensorsType.BF16)
            {
                problems.Add($"{tensor.Name} is {tensor.Type}, wanted floating-point numbers");
                fits = false;
            }

            return fits;
        }
    }
}
