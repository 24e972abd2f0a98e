using CoGrpo.Model;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Logging;
using CoGrpo.Rl.Planning;
using CoGrpo.Rl.Runs;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Backends.Plan;
using CoGrpo.Runtime.Diagnostics;

namespace CoGrpo.Tests.Rl.Planning;

/// <summary>What a plan says of a run is what the run does.</summary>
public sealed class RunPlanTests
{
    private const string Small = """
        { "seed": 3, "lanes": 1, "sampling": { "steps": 4, "microBatch": 6 }, "train": { "cycles": [{ "model": 1, "schedule": 1 }],
          "model": { "group": 6, "batch": 12, "microBatch": 4, "stepsTrained": "all" }, "schedule": { "group": 4, "batch": 16 } } }
        """;

    public static TheoryData<string[]> Sizes() =>
    [
        [],
        ["model.num_layers=3", "model.num_single_layers=6", "train.model.microBatch=24"],
        ["model.num_layers=3", "model.num_single_layers=6", "train.model.microBatch=24", "train.model.recomputeBlocks=true"],
        ["train.model.lora.rank=8", "train.model.ema=0.9"],
        ["train.model.kl=0.1", "train.model.cfgGrad=detachUncond", "train.model.updatesPerRollout=2"],
        ["train.model.stepsTrained=2", "sampling.microBatch=5"],
        ["lanes=2", "schedule.actions=[\"guidance\"]"],
        ["train.mode=naive", "train.cycles=[{\"model\":1,\"schedule\":0}]"],
        ["train.mode=joint", "train.schedule.batch=12", "train.schedule.group=6"],
    ];

    [Theory]
    [MemberData(nameof(Sizes))]
    public void ThePeakOfEachCategoryIsWhatTheCpuAllocates(string[] settings)
    {
        RunConfiguration configuration = ConfigurationLoader.Parse(Small, "small", settings);
        RunPlan plan = RunPlan.Of(configuration);
        using ComputeDevice device = ComputeDevice.Cpu();
        using var run = new PlannedRun(configuration, device);
        Initialisation.FromScratch(run.Model.Transformer.Parameters, device.Backend, 1);
        Initialisation.FromScratch(run.Model.TextEncoder.Parameters, device.Backend, 2);
        while (run.Trainer.Iteration < run.Trainer.Plan.Count)
        {
            IterationMetrics metrics = run.Trainer.Train();
            Assert.Equal(64, metrics.DecodedMean.Sum(), 1e-9);
        }

        var held = PlannedMemory.Of(run.Backends.Select(backend => backend.Memory));
        held.Bytes.TryGetValue(MemoryCategory.Workspace, out long workspace);
        Assert.Equal(held.Bytes.Where(entry => entry.Key != MemoryCategory.Workspace), plan.Memory.Bytes);
        Assert.Equal(held.PeakBytes - workspace, plan.Memory.PeakBytes);
        Assert.True(plan.Memory.PeakBytes > 1 << 24);
    }

    public static TheoryData<int> Cases() => [.. Enumerable.Range(0, Iterations.Length)];

    /// <summary>Sizes of a model that halves its grid and of one that does not.</summary>
    internal static readonly PlannedIteration[] Iterations =
    [
        new() { Downsample = true, SampleMicroBatch = 2, MicroBatch = 12, Steps = 4 },
        new() { MicroBatch = 2, Kl = 0.1, Gradient = GuidanceGradient.DetachUncond },
        new() { Downsample = true, Lora = true, Recompute = true, Ema = 0.9 },
    ];

    [Theory]
    [MemberData(nameof(Cases))]
    public void EveryArenaHoldsWhatThePlanOfItsRunSays(int number)
    {
        PlannedIteration iteration = Iterations[number];
        (IReadOnlyList<MemoryLedger> planned, _) = iteration.On(ComputeDevice.Plan(ElementType.Float32, replicates: true, new() { Guidance = 2 }));
        (IReadOnlyList<MemoryLedger> held, _) = iteration.On(ComputeDevice.Cpu());
        Assert.Equal(2, held.Count);
        Assert.All(held.Zip(planned), pair => Assert.Equal(pair.First.Arenas.Where(entry => entry.Arena != "workspace"), pair.Second.Arenas));
    }

    /// <summary>A whole run with its evaluation, checkpoints and report holds on the networks' backend what the plan says.</summary>
    [Fact]
    public void ARunWithAllThatBelongsToItHoldsWhatItsPlanSays()
    {
        using var folder = new TemporaryFolder();
        RunConfiguration configuration = ConfigurationLoader.Parse(
            Small,
            "small",
            $"output.directory={System.Text.Json.JsonSerializer.Serialize(folder.File("run"))}",
            "train.evaluation={\"promptsPerTask\":1,\"samples\":1,\"steps\":[4],\"every\":0}"
        );
        using ComputeDevice device = ComputeDevice.Cpu();
        TrainRun.Execute(configuration, device, resume: false, new SilentProgress(), TextWriter.Null, default);
        using ComputeDevice plan = ComputeDevice.Plan(ElementType.Float32, replicates: true, new());
        using var run = new PlannedRun(configuration, plan) { Planned = int.MaxValue };
        run.Trainer.Train();
        run.Trainer.Train();
        Assert.Equal(Peaks(device.Backend), Peaks(plan.Backend));

        static IEnumerable<(string, long)> Peaks(IBackend backend) =>
            backend.Memory.Arenas.Where(entry => entry.Arena != "workspace").Select(entry => (entry.Arena, entry.PeakBytes));
    }

    [Theory]
    [InlineData("sampling.microBatch=6")]
    [InlineData("sampling.microBatch=4", "train.model.microBatch=3")]
    [InlineData("train.model.microBatch=5")]
    [InlineData("train.model.updatesPerRollout=2", "train.model.ema=0.5")]
    public void TrajectoriesThatStandForOthersCostWhatAllOfThemCost(params string[] settings)
    {
        RunConfiguration configuration = ConfigurationLoader.Parse(
            Small,
            "small",
            [.. settings, "train.cycles=[{\"model\":2,\"schedule\":0}]", "train.model.batch=24"]
        );
        PlannedPhase phase = Assert.Single(RunPlan.Of(configuration).Phases);
        using ComputeDevice device = ComputeDevice.Plan(ElementType.Float32, replicates: true, RunFactory.HandMade(configuration.Sampling.HandMade));
        using var run = new PlannedRun(configuration, device) { Planned = int.MaxValue };
        run.Trainer.Train();
        PlanBackend[] backends = [.. run.Backends.Cast<PlanBackend>()];
        Array.ForEach(backends, backend => backend.TakeWork());
        run.Trainer.Train();
        PlannedWork whole = backends.Select(backend => backend.TakeWork()).Aggregate((all, work) => all.And(work));
        Assert.Equal(whole.Cost().Calls, phase.All.Cost().Calls);
        Assert.All(whole.And(phase.All, -1).Calls, call => Assert.Equal(0, call.Times, 1e-6));
    }

    [Fact]
    public void APublishedModelTrainedAsInThePaperFits80Gigabytes()
    {
        RunPlan plan = RunPlan.Of(Paper());
        Assert.Equal(
            [
                ("transformer", 1_006_946_304),
                ("text encoder", 354_032_640),
                ("schedule policy", 8_883_796),
                ("picture model", 146_244_675),
                ("imageReward", 446_206_689),
                ("hpsv2", 986_109_441),
            ],
            plan.Networks.Select(network => (network.Name, network.Parameters))
        );
        Assert.Equal(1_006_946_304 + 8_883_796, plan.Networks.Sum(network => network.Trained));
        Assert.InRange(plan.Memory.PeakBytes, 20_000_000_000, 80_000_000_000);
        Assert.Equal(plan.Memory.PeakBytes, plan.Memory.Bytes.Values.Sum());
        Assert.Equal([(Phase.Model, 300), (Phase.Schedule, 200)], plan.Phases.Select(phase => (phase.Phase, phase.Iterations)));

        // Two products per weight and token at the least: 1024 picture and 77 text tokens, both branches, and three times as much with a gradient.
        double weights = 2.0 * 650e6 * 1024, trajectories = 96 * 48 * 2;
        OperationCost rollout = plan.Phases[0].Rollout.Cost(), update = plan.Phases[0].Update.Cost();
        Assert.InRange(rollout.Operations, weights * trajectories, 2 * weights * trajectories);
        Assert.InRange(update.Operations / rollout.Operations, 2.9, 3.1);
        Assert.InRange(update.HalfProducts / update.Operations, 0.98, 1);

        // No unit works faster than it can.
        Assert.All(
            DeviceModel.All,
            device => Assert.InRange(plan.Phases[0].All.Seconds(device), plan.Phases[0].All.Cost().HalfProducts / device.TensorRate, 1e4)
        );
    }

    /// <summary>All weights are still trained, and on the same number of steps and model trajectories.</summary>
    [Fact]
    public void SettingsAreFoundThatFit40Gigabytes()
    {
        const long Bytes = 40_000_000_000;
        RunPlan plan = RunPlan.Of(Paper());
        Assert.True(plan.Memory.PeakBytes > Bytes);
        PlanFit fit = PlanSearch.Fit(plan, Bytes);
        Assert.True(fit.Fits);
        Assert.Contains("train.model.recomputeBlocks=true", fit.Settings);
        Assert.Equal(plan.Networks, fit.Plan.Networks);
        Assert.InRange(fit.Plan.Memory.PeakBytes, 1, Bytes);
    }

    [Fact]
    public void ASearchTakesBackWhatIsNotNeededAndSaysWhenNothingFits()
    {
        RunPlan plan = RunPlan.Of(
            ConfigurationLoader.Parse(
                Small,
                "small",
                "model.num_layers=3",
                "model.num_single_layers=6",
                "train.model.microBatch=24",
                "device=cuda",
                "precision=fp32"
            )
        );
        PlanSaving recompute = Assert.Single(PlanSearch.Savings(plan), saving => saving.Switch.Path == "train.model.recomputeBlocks");
        Assert.True(recompute.Plan.Seconds(DeviceModel.Default) > plan.Seconds(DeviceModel.Default));
        Assert.Equal(["train.model.microBatch=3"], PlanSearch.Fit(plan, recompute.Plan.Memory.PeakBytes).Settings);
        Assert.Empty(PlanSearch.Fit(plan, plan.Memory.PeakBytes).Settings);

        PlanFit nothing = PlanSearch.Fit(plan, 1000);
        Assert.False(nothing.Fits);
        Assert.True(nothing.Plan.Memory.PeakBytes < recompute.Plan.Memory.PeakBytes);
    }

    [Fact]
    public void ARunTakesNoMoreThanTheMemoryItIsGiven()
    {
        RunPlan plan = RunPlan.Of(Limited(0));
        Assert.Same(plan.Configuration, MemoryLimit.Apply(plan.Configuration, new SilentProgress()));
        PlanFit least = PlanSearch.Fit(plan, 1, keepResults: true);
        double limit = Math.Round(((plan.Memory.PeakBytes * 0.3) + (least.Plan.Memory.PeakBytes * 0.7)) / 1e9, 6);
        RunConfiguration limited = MemoryLimit.Apply(Limited(limit), new SilentProgress());
        Assert.Equal(limited.Sampling.MicroBatch, plan.Configuration.Sampling.MicroBatch);
        Assert.InRange(limited.Train.Model.MicroBatch, 1, 12);
        Assert.Equal(plan.Configuration.Train.Model.Batch, limited.Train.Model.Batch);
        Assert.Equal(limited, MemoryLimit.Apply(limited, new SilentProgress()));
        Assert.Equal(plan.Memory.PeakBytes, Held(plan.Configuration));
        Assert.InRange(Held(limited), least.Plan.Memory.PeakBytes, (long)(limit * 1e9));

        static RunConfiguration Limited(double memory) =>
            ConfigurationLoader.Parse(
                Small,
                "small",
                "model.num_layers=3",
                "model.num_single_layers=6",
                "train.model.microBatch=24",
                "train.cycles=[{\"model\":1,\"schedule\":0}]",
                FormattableString.Invariant($"train.memory={memory}")
            );

        static long Held(RunConfiguration configuration)
        {
            using ComputeDevice device = ComputeDevice.Cpu();
            using var run = new PlannedRun(configuration, device);
            Initialisation.FromScratch(run.Model.Transformer.Parameters, device.Backend, 1);
            Initialisation.FromScratch(run.Model.TextEncoder.Parameters, device.Backend, 2);
            run.Trainer.Train();
            var held = PlannedMemory.Of(run.Backends.Select(backend => backend.Memory));
            held.Bytes.TryGetValue(MemoryCategory.Workspace, out long workspace);
            return held.PeakBytes - workspace;
        }
    }

    /// <summary>
    /// Pictures are those of the run without a limit and gradients differ by rounding; the run folder says what was trained; a run that cannot fit
    /// leaves none.
    /// </summary>
    [Fact]
    public void ARunWithinItsMemoryHasTheResultsOfOneWithoutALimit()
    {
        using var folder = new TemporaryFolder();
        using ComputeDevice device = ComputeDevice.Cpu();
        PlanFit least = PlanSearch.Fit(RunPlan.Of(Limited("", 0)), 1, keepResults: true);
        (IReadOnlyDictionary<string, double> free, IReadOnlyDictionary<string, double> held) = (
            Train("free", 0),
            Train("held", Math.Ceiling(least.Plan.Memory.PeakBytes / 1e3) / 1e6)
        );
        RunConfiguration kept = ConfigurationLoader.Load(folder.File("held/config.json"), []);
        Assert.Equal(1, kept.Sampling.MicroBatch);
        Assert.InRange(kept.Train.Model.MicroBatch, 1, 2);
        Assert.Equal(free["reward/adherence/mean"], held["reward/adherence/mean"]);
        Assert.Equal(free["heldout/diversity"], held["heldout/diversity"]);
        Assert.True(free["model/grad_norm"] > 0);
        Assert.Equal(1, held["model/grad_norm"] / free["model/grad_norm"], 1e-3);

        ModelException refused = Assert.Throws<ModelException>(() => Train("refused", 0.001));
        Assert.StartsWith("train.memory: wanted a run of at most 0.001 GB, got 0.", refused.Message, StringComparison.Ordinal);
        Assert.EndsWith("or see with 'plan --memory 0.001' what else can be changed", refused.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder.File("refused")));

        IReadOnlyDictionary<string, double> Train(string name, double memory)
        {
            TrainRun.Execute(Limited(name, memory), device, resume: false, new SilentProgress(), TextWriter.Null, default);
            using var line = System.Text.Json.JsonDocument.Parse(File.ReadAllLines(folder.File($"{name}/metrics.jsonl"))[1]);
            return line
                .RootElement.EnumerateObject()
                .Where(entry => entry.Value.ValueKind == System.Text.Json.JsonValueKind.Number)
                .ToDictionary(entry => entry.Name, entry => entry.Value.GetDouble());
        }

        RunConfiguration Limited(string name, double memory) =>
            ConfigurationLoader.Parse(
                Small,
                "small",
                $"output.directory={System.Text.Json.JsonSerializer.Serialize(folder.File(name))}",
                "train.cycles=[{\"model\":1,\"schedule\":0}]",
                "train.evaluation={\"promptsPerTask\":1,\"samples\":1,\"steps\":[4],\"every\":0}",
                FormattableString.Invariant($"train.memory={memory}")
            );
    }

    /// <summary>A plan says so as the run would: a configuration's own check does not know the folder's model.</summary>
    [Fact]
    public void AScheduleOfAnotherWidthThanTheModelsIsNotPlanned()
    {
        RunConfiguration configuration = ConfigurationLoader.Parse(Small, "small", "train.memory=1");
        configuration = configuration with { Schedule = configuration.Schedule with { PolicyWidth = 256 } };
        ModelException refused = Assert.Throws<ModelException>(() => MemoryLimit.Apply(configuration, new SilentProgress()));
        Assert.Equal("schedule.policyWidth: wanted the width of the model, 128, got 256; set it, or train.mode to naive", refused.Message);
    }

    [Fact]
    public void StepsOfALoopCountTheRowsThatAreStillMasked()
    {
        // r = 1/2 after the first of two steps of exponent 2: half of the rows in the second.
        var settings = new CoGrpo.Runtime.Sampling.HandMadeSettings { CosineExponent = 2, Guidance = 1 };
        OperationCost Sampled(CoGrpo.Runtime.Sampling.HandMadeSettings? decoding)
        {
            using ComputeDevice device = ComputeDevice.Plan(ElementType.Float32, replicates: false, decoding!);
            using var run = new TinyRun(steps: 2, untrained: true, device: device);
            var backend = (PlanBackend)run.Backend;
            backend.TakeWork();
            run.Rollout(images: 1, group: 1, fixedSchedule: new CoGrpo.Runtime.Sampling.HandMadeSchedule(settings));
            return backend.TakeWork().Cost(operation => operation == nameof(IBackend.HeadSample));
        }

        Assert.Equal(0.75, Sampled(settings).Operations / Sampled(null).Operations, 1e-12);
    }

    private static RunConfiguration Paper() =>
        Presets.Of(PresetName.Paper) with
        {
            Device = DeviceName.Cuda,
            Data = new() { Name = DataName.Prompts, PromptFiles = ["/prompts.txt"] },
        };
}
