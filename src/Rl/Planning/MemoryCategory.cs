namespace CoGrpo.Rl.Planning;

/// <summary>What memory of a run is for.</summary>
public enum MemoryCategory
{
    /// <summary>Weights of the transformer and of adapters, with their copy in bf16 and a reference model.</summary>
    Parameters,

    /// <summary>Gradients of what the model phase trains.</summary>
    Gradients,

    /// <summary>Moments of both optimizers and averaged weights.</summary>
    Optimizer,

    /// <summary>Values and gradients inside a pass, and what the sampling loop holds.</summary>
    Activations,

    /// <summary>What the schedule policy saw in the rollouts.</summary>
    Trajectories,

    /// <summary>Weights of the text encoder and the encoded prompts.</summary>
    TextModel,

    /// <summary>Weights, gradients and work memory of the schedule policy.</summary>
    SchedulePolicy,

    /// <summary>Weights and work memory of the model that makes pictures of codes.</summary>
    PictureModel,

    /// <summary>Networks that score pictures.</summary>
    RewardModels,

    /// <summary>Partial results within an operation.</summary>
    Workspace,
}
