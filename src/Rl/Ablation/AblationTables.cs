using System.Globalization;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Training;

namespace CoGrpo.Rl.Ablation;

/// <summary>
/// The paper's ablation tables for any configuration. What is known of them stands in specs/grpo.md and specs/schedule-policy.md; each table's note
/// says which arms were chosen here.
/// </summary>
public static class AblationTables
{
    private const int PaperSteps = 48;
    private const string Unknown = "What the paper's table compares in detail is not known here; the arms were chosen for this project. ";

    /// <summary>The paper's numbers of the tables.</summary>
    public static IReadOnlyList<string> Ids { get; } = ["2", "5a", "5b", "5c", "5d"];

    /// <summary>The tables of these numbers, in the paper's order.</summary>
    /// <exception cref="ConfigurationException">Their arms need training and the configuration does not train both model and schedule.</exception>
    public static IReadOnlyList<AblationTable> Of(RunConfiguration configuration, IReadOnlyCollection<string> ids)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(ids);
        return [.. Ids.Where(ids.Contains).Select(id => id switch
        {
            "2" => HandMade(configuration),
            "5a" => Learners(configuration),
            "5b" => StepCounts(configuration),
            "5c" => Actions(configuration),
            _ => Order(configuration),
        })];
    }

    private static AblationTable HandMade(RunConfiguration c) => new("2", "Hand-made schedules, nothing trained",
        "As in the paper: the exponent of the cosine at a third of the steps and at all of them. The rows that change another setting were added here. Every row changes one setting of the first.",
        AblationColumns.Steps, FewAndAll(c), [Base(c), .. Variants(c)]);

    private static AblationTable Learners(RunConfiguration c) =>
        new(
            "5a",
            "Who learns",
            Unknown + "Naive GRPO trains the model under the hand-made schedule.",
            AblationColumns.Scores,
            Own(c),
            [
                Base(c),
                Trained("naive", "naive GRPO (model alone)", Own(c), "train.mode=naive", Cycle(model: new AblationBudget(c).Iterations(Phase.Model))),
                Trained(
                    "schedule",
                    "schedule alone",
                    Own(c),
                    "train.mode=schedule",
                    "train.model.lora.rank=0",
                    Cycle(schedule: new AblationBudget(c).Iterations(Phase.Schedule))
                ),
                CoGrpo(c),
            ]
        );

    private static AblationTable StepCounts(RunConfiguration c) => new("5b", "Step counts",
        "As in the paper: one checkpoint at 1/6, 1/3, 2/3, 1 and 4/3 of its training steps (8 to 64 of 48), at least 2; the learned schedule by remapped time.",
        AblationColumns.Steps, PaperShares(c), [Base(c), CoGrpo(c)]);

    private static AblationTable Actions(RunConfiguration c) =>
        new(
            "5c",
            "Which actions learn",
            Unknown + "Co-GRPO with one action learning and the others hand-made, then with all.",
            AblationColumns.Scores,
            Own(c),
            [
                Base(c),
                .. new[]
                {
                    ("remaskRatio", "re-mask ratio r"),
                    ("samplingTemperature", "sampling temperature τ_s"),
                    ("remaskTemperature", "re-mask temperature τ_r"),
                    ("guidance", "guidance s"),
                }.Select(a => Trained($"only-{a.Item1}", $"{a.Item2} alone", Own(c), "train.mode=co-grpo", $"schedule.actions=[\"{a.Item1}\"]")),
                CoGrpo(c),
            ]
        );

    private static AblationTable Order(RunConfiguration c)
    {
        int joint = new AblationBudget(c).Iterations(Phase.Joint);
        return new("5d", "Alternating or joint",
            "As in the paper: the phases in turn, or every iteration one rollout with drawn actions that trains both. Batch and group of joint iterations are those of the model's phase.",
            AblationColumns.Scores, Own(c),
            [
                Base(c),
                Trained(
                    "joint",
                    "joint",
                    Own(c),
                    "train.mode=joint",
                    $"train.schedule.batch={c.Train.Model.Batch}",
                    $"train.schedule.group={c.Train.Model.Group}",
                    Cycle(joint, joint)
                ),
                CoGrpo(c),
            ]);
    }

    private static AblationArm Base(RunConfiguration c) => Untrained("base", "base, hand-made schedule", PaperShares(c));

    private static AblationArm CoGrpo(RunConfiguration c)
    {
        // Made for its check: without iterations of both there is nothing to compare with.
        _ = new AblationBudget(c);
        return Trained("co-grpo", "Co-GRPO", PaperShares(c), "train.mode=co-grpo");
    }

    private static AblationArm Trained(string key, string name, IReadOnlyList<int> steps, params IReadOnlyList<string> overrides) =>
        new(key, name, steps, overrides);

    private static AblationArm Untrained(string key, string name, IReadOnlyList<int> steps, params IReadOnlyList<string> overrides) =>
        new(key, name, steps, ["train.mode=naive", Cycle(), .. overrides]);

    private static IEnumerable<AblationArm> Variants(RunConfiguration c)
    {
        HandMadeConfiguration made = c.Sampling.HandMade;
        (string Setting, string Symbol, double Own, double Value)[] changes =
        [
            ("cosineExponent", "γ", made.CosineExponent, made.CosineExponent * 0.5),
            ("cosineExponent", "γ", made.CosineExponent, Math.Min(100, made.CosineExponent * 1.5)),
            ("cosineExponent", "γ", made.CosineExponent, Math.Min(100, made.CosineExponent * 2)),
            ("guidance", "s", made.Guidance, 1 + ((made.Guidance - 1) * 0.5)),
            ("guidance", "s", made.Guidance, Math.Min(30, 1 + ((made.Guidance - 1) * 2))),
            ("remaskTemperature", "τ_r", made.RemaskTemperature, Math.Min(20, made.RemaskTemperature * 2)),
            ("samplingTemperature", "τ_s", made.SamplingTemperature, Math.Max(0.05, made.SamplingTemperature * 0.5)),
        ];
        return changes
            .Where(change => change.Value != change.Own)
            .Select(change =>
            {
                string value = change.Value.ToString("R", CultureInfo.InvariantCulture);
                return Untrained(
                    $"hand-made-{change.Setting}-{value}",
                    $"{change.Symbol} = {value}",
                    FewAndAll(c),
                    $"sampling.handMade.{change.Setting}={value}"
                );
            });
    }

    private static string Cycle(int model = 0, int schedule = 0) =>
        string.Create(CultureInfo.InvariantCulture, $"train.cycles=[{{\"model\":{model},\"schedule\":{schedule}}}]");

    private static int[] Own(RunConfiguration c) => [c.Sampling.Steps];

    /// <summary>The paper's 16 and 48.</summary>
    private static int[] FewAndAll(RunConfiguration c) => Steps(c, 16, 48);

    /// <summary>The paper's 8, 16, 32, 48 and 64.</summary>
    private static int[] PaperShares(RunConfiguration c) => Steps(c, 8, 16, 32, 48, 64);

    private static int[] Steps(RunConfiguration c, params IReadOnlyList<int> paper)
    {
        int most = c.Data.Name == DataName.EmojiScenes ? 16 * c.Data.Grid * c.Data.Grid : int.MaxValue;
        return
        [
            .. paper
                .Select(steps => Math.Clamp((int)Math.Round(steps * (double)c.Sampling.Steps / PaperSteps, MidpointRounding.AwayFromZero), 2, most))
                .Distinct(),
        ];
    }
}
