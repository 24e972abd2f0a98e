using CoGrpo.Rl.Training;
using CoGrpo.Runtime.Backends.Plan;

namespace CoGrpo.Rl.Planning;

/// <summary>The work of one iteration.</summary>
/// <param name="Phase">Of which kind.</param>
/// <param name="Iterations">How many of them the run has.</param>
/// <param name="Rollout">Prompts and sampling.</param>
/// <param name="Pictures">From codes to pictures.</param>
/// <param name="Update">Passes forward and backward, and the optimizer.</param>
public sealed record PlannedPhase(Phase Phase, int Iterations, PlannedWork Rollout, PlannedWork Pictures, PlannedWork Update)
{
    /// <summary>All of it.</summary>
    public PlannedWork All => Rollout.And(Pictures).And(Update);
}
