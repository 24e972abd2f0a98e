using CoGrpo.Rl.Configuration;

namespace CoGrpo.Rl.Planning;

/// <summary>A setting that trades memory for something else.</summary>
/// <param name="Path">The setting.</param>
/// <param name="Values">What it can be set to from where a run stands, the greatest saving last; in the form of <c>--set</c>.</param>
/// <param name="Present">What it is set to.</param>
/// <param name="Effect">What it costs.</param>
/// <param name="KeepsResults">Whether pictures and gradients stay those of the run, up to rounding.</param>
public sealed record PlanSwitch(string Path, IReadOnlyList<string> Values, string Present, string Effect, bool KeepsResults)
{
    private const int AdapterRank = 16;

    /// <summary>
    /// Those that can still save something in a run: first the ones that leave its results as they are, then the ones that change what is trained.
    /// </summary>
    public static IReadOnlyList<PlanSwitch> Of(RunConfiguration configuration)
    {
        TrainConfiguration train = configuration.Train;
        bool trainsModel = train.Mode != TrainMode.Schedule, trainsSchedule = train.Mode != TrainMode.Naive;
        bool gpu = configuration.Device == DeviceName.Cuda;
        List<PlanSwitch> switches = [];
        void Add(bool offered, string path, IReadOnlyList<string> values, string present, string effect, bool keepsResults = false)
        {
            if (offered && values.Count > 0)
            {
                switches.Add(new PlanSwitch(path, values, present, effect, keepsResults));
            }
        }

        // The cheapest first: smaller micro-batches only fill a GPU less.
        Add(
            true,
            "sampling.microBatch",
            Halves(configuration.Sampling.MicroBatch, 1),
            Text(configuration.Sampling.MicroBatch),
            "same pictures",
            keepsResults: true
        );
        Add(
            trainsModel,
            "train.model.microBatch",
            Halves(train.Model.MicroBatch, 1),
            Text(train.Model.MicroBatch),
            "same gradients up to rounding",
            keepsResults: true
        );
        Add(
            trainsModel && !train.Model.RecomputeBlocks,
            "train.model.recomputeBlocks",
            ["true"],
            "false",
            "same gradients, one more forward pass",
            keepsResults: true
        );
        Add(gpu && configuration.Precision == PrecisionName.Fp32, "precision", ["bf16"], "fp32", "activations in bf16");
        Add(trainsModel && train.Model.Ema > 0, "train.model.ema", ["0"], Text(train.Model.Ema), "no averaged weights");
        Add(
            trainsSchedule && train.Mode != TrainMode.Joint,
            "train.schedule.batch",
            Halves(train.Schedule.Batch, train.Schedule.Group),
            Text(train.Schedule.Batch),
            "fewer trajectories per update"
        );
        Add(trainsModel && train.Model.Lora.Rank == 0, "train.model.lora.rank", [Text(AdapterRank)], "0", "trains adapters, all other weights stay");
        Add(trainsModel && train.Model.Kl > 0, "train.model.kl", ["0"], Text(train.Model.Kl), "no reference model");
        Add(
            trainsModel && train.Model.CfgGrad == GuidanceGradient.Both,
            "train.model.cfgGrad",
            ["detachUncond"],
            "both",
            "gradient without its unconditional half"
        );
        return switches;
    }

    /// <summary>The configuration with settings laid over it.</summary>
    /// <exception cref="ConfigurationException">They contradict it.</exception>
    public static RunConfiguration Apply(RunConfiguration configuration, IReadOnlyList<string> settings) =>
        settings.Count == 0 ? configuration : ConfigurationLoader.Parse(ConfigurationLoader.Write(configuration), "plan", settings);

    /// <summary>Half, a quarter and so on, in whole numbers of <paramref name="unit"/>.</summary>
    private static List<string> Halves(int value, int unit)
    {
        List<string> halves = [];
        for (int units = value / unit / 2; units >= 1; units /= 2)
        {
            halves.Add(Text(units * unit));
        }

        return halves;
    }

    private static string Text(double value) => value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
