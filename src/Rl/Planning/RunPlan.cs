using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Backends.Plan;
using CoGrpo.Runtime.Diagnostics;

namespace CoGrpo.Rl.Planning;

/// <summary>Parameters, memory and work of a run, from one iteration of each of its phases on a device that executes nothing.</summary>
public sealed record RunPlan
{
    private RunPlan(
        RunConfiguration configuration,
        IReadOnlyList<PlannedNetwork> networks,
        IReadOnlyList<PlannedPhase> phases,
        PlannedMemory memory
    ) => (Configuration, Networks, Phases, Memory) = (configuration, networks, phases, memory);

    /// <summary>The run.</summary>
    public RunConfiguration Configuration { get; }

    /// <summary>Its networks.</summary>
    public IReadOnlyList<PlannedNetwork> Networks { get; }

    /// <summary>Its phases in the order of their first iteration.</summary>
    public IReadOnlyList<PlannedPhase> Phases { get; }

    /// <summary>The most memory it holds.</summary>
    public PlannedMemory Memory { get; }

    /// <summary>The plan of a run on the CPU or a GPU, whichever the configuration names.</summary>
    public static RunPlan Of(RunConfiguration configuration)
    {
        using ComputeDevice device = Device(configuration);
        using var run = new PlannedRun(configuration, device);
        List<PlannedPhase> phases = [.. run.Trainer.Plan.Distinct().Select(phase => Iterate(run, configuration, phase))];
        long workspace = configuration.Device == DeviceName.Cuda ? ((PlanBackend)device.Backend).WorkspaceBytes : 0;
        PlannedMemory memory = PlannedMemory.Of(run.Backends.Select(backend => backend.Memory), workspace);
        return new RunPlan(configuration, NetworksOf(run, configuration.Train.Mode), phases, memory);
    }

    /// <summary>One iteration of a phase. Where trajectories are alike the first ones stand for the rest.</summary>
    private static PlannedPhase Iterate(PlannedRun run, RunConfiguration configuration, Phase phase)
    {
        CoGrpoTrainer trainer = run.Trainer;
        ModelPhaseConfiguration model = configuration.Train.Model;
        SchedulePhaseConfiguration schedule = configuration.Train.Schedule;
        (int batch, int group) = phase == Phase.Schedule ? (schedule.Batch, schedule.Group) : (model.Batch, model.Group);
        bool single = run.Lanes.Count == 1;

        // Whole micro-batches of whole groups.
        int sampled = single ? Alike(batch, n => n % configuration.Sampling.MicroBatch == 0 && n % group == 0) : batch;

        // Whole micro-batches of trajectories whose steps are all trained.
        int steps = configuration.Sampling.Steps;
        bool all = model.StepsTrained == 0 || model.StepsTrained >= steps;
        int updated = single && all && phase == Phase.Model ? Alike(batch, n => n * steps % model.MicroBatch == 0) : batch;

        List<PlannedWork> parts = [];
        run.Lanes.SampledImages = sampled;
        run.Planned = updated;
        run.Passed = () => parts.Add(TakeWork(run));
        TakeWork(run);
        trainer.Iteration = trainer.Plan.Index().First(entry => entry.Item == phase).Index;
        trainer.Train();
        PlannedWork update = TakeWork(run);
        run.EncodePrompts();
        PlannedWork rollout = Scaled(TakeWork(run), parts[0], (double)batch / sampled);
        if (phase == Phase.Model)
        {
            // Once more, now that gradients have been made.
            run.UpdateModel(0);
            PlannedWork once = TakeWork(run);
            run.UpdateModel(updated);
            update = Scaled(once, TakeWork(run), (double)batch / updated);
        }

        return new PlannedPhase(phase, trainer.Plan.Count(p => p == phase), rollout, parts[1].Times(batch), update);
    }

    /// <summary>The fewest trajectories that divide a batch and have a property, or the batch.</summary>
    private static int Alike(int batch, Func<int, bool> property) =>
        Enumerable.Range(1, batch).First(n => n == batch || (batch % n == 0 && property(n)));

    /// <summary>Work of which a part is done once and the rest as often as there are trajectories like those it was done for.</summary>
    private static PlannedWork Scaled(PlannedWork once, PlannedWork whole, double times) => once.And(whole.And(once, -1), times);

    /// <summary>The work of the whole run in seconds on a device.</summary>
    public double Seconds(DeviceModel device) => Phases.Sum(phase => phase.Iterations * phase.All.Seconds(device));

    private static ComputeDevice Device(RunConfiguration configuration)
    {
        bool gpu = configuration.Device == DeviceName.Cuda;
        ElementType storage = gpu && configuration.Precision == PrecisionName.Bf16 ? ElementType.BFloat16 : ElementType.Float32;
        return ComputeDevice.Plan(storage, replicates: !gpu, RunFactory.HandMade(configuration.Sampling.HandMade));
    }

    private static PlannedWork TakeWork(PlannedRun run) =>
        run.Backends.Cast<PlanBackend>().Select(backend => backend.TakeWork()).Aggregate((all, work) => all.And(work));

    private static List<PlannedNetwork> NetworksOf(PlannedRun run, TrainMode mode)
    {
        bool trainsModel = mode != TrainMode.Schedule, trainsPolicy = mode != TrainMode.Naive;
        long transformer = run.Model.Transformer.Parameters.ParameterCount, policy = run.Policy.Parameters.ParameterCount;
        List<PlannedNetwork> networks = [new("transformer", transformer, trainsModel && run.Model.Transformer.Lora is null ? transformer : 0)];
        if (run.Model.Transformer.Lora is { } lora)
        {
            networks.Add(new("adapters", lora.Parameters.ParameterCount, lora.Parameters.ParameterCount));
        }

        networks.Add(new("text encoder", run.Model.TextEncoder.Parameters.ParameterCount, 0));
        networks.Add(new("schedule policy", policy, trainsPolicy ? policy : 0));
        if (run.Pictures is { } pictures)
        {
            networks.Add(new("picture model", pictures.Parameters.ParameterCount, 0));
        }

        networks.AddRange(run.RewardModels.Select(reward => new PlannedNetwork(reward.Name, reward.Model.ParameterCount, 0)));
        return networks;
    }
}
