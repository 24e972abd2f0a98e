using CoGrpo.Model.Lora;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Planning;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Backends.Cuda;
using CoGrpo.Runtime.Backends.Plan;

namespace CoGrpo.Tests.Rl.Planning;

/// <summary>A <see cref="TinyRun"/> whose iterations a device executes, or only counts.</summary>
internal sealed record PlannedIteration
{
    public bool Downsample { get; init; }

    public int Steps { get; init; } = 3;

    public int SampleMicroBatch { get; init; } = 4;

    public int MicroBatch { get; init; } = 5;

    public bool Recompute { get; init; }

    public bool Lora { get; init; }

    public double Kl { get; init; }

    public double Ema { get; init; }

    public GuidanceGradient Gradient { get; init; } = GuidanceGradient.Both;

    /// <summary>
    /// One iteration of each phase on <paramref name="device"/>: what its backends held at most, and the bytes of a GPU's workspace.
    /// </summary>
    public (IReadOnlyList<MemoryLedger> Memory, long Workspace) On(ComputeDevice device)
    {
        List<MemoryLedger> memory = [];
        long workspace;
        LoraConfig? lora = Lora ? new LoraConfig(4, 8, [LoraTargets.Attention, LoraTargets.Mlp]) : null;
        IBackend backend = device.Backend;
        using (var run = new TinyRun(1, SampleMicroBatch, Downsample, Steps, untrained: true, device: device, lora: lora))
        {
            RunConfiguration configuration = run.Configuration(TrainMode.CoGrpo);
            ModelPhaseConfiguration model = configuration.Train.Model with
            {
                MicroBatch = MicroBatch,
                RecomputeBlocks = Recompute,
                Kl = Kl,
                Ema = Ema,
                CfgGrad = Gradient,
            };
            configuration = configuration with { Train = configuration.Train with { Model = model } };
            var decoding = new PlannedDecoding(RunFactory.HandMade(configuration.Sampling.HandMade), run.Setup.Height, run.Setup.Width, Downsample);
            CoGrpoTrainer trainer = run.Trainer(
                configuration,
                sampled: backend is PlanBackend ? trajectories => decoding.Fill(trajectories, trajectories.Images) : null
            );
            trainer.Train();
            trainer.Train();
            memory.Add(backend.Memory);
            if (run.Lanes.Lanes[0].Backend is var lane && lane != backend)
            {
                memory.Add(lane.Memory);
            }

            workspace = backend switch { CudaBackend cuda => cuda.WorkspaceBytes, PlanBackend plan => plan.WorkspaceBytes, _ => 0 };
        }

        return (memory, workspace);
    }
}
