using CoGrpo.Model;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Evaluation;
using CoGrpo.Rl.Runs;

namespace CoGrpo.Rl.Ablation;

/// <summary>The run of one arm with one seed.</summary>
/// <param name="Arm">The arm.</param>
/// <param name="Seed">Its seed.</param>
/// <param name="Configuration">Everything that determines it; output.directory is its folder.</param>
internal sealed record AblationRun(AblationArm Arm, long Seed, RunConfiguration Configuration)
{
    /// <summary>Its run folder.</summary>
    public string Folder => Configuration.Output.Directory;

    /// <summary>The folder holds a run, finished or not.</summary>
    public bool Exists => RunFolder.Exists(Folder);

    /// <summary>The folder holds all that the run leaves.</summary>
    public bool IsFinished => Exists && File.Exists(Path.Combine(Folder, ScoreFile.Name));

    /// <summary>Throws if there is a run in the folder that is not this one, or that cannot be read back.</summary>
    /// <exception cref="ModelException">One line: what is broken and what to do.</exception>
    public void Check()
    {
        if (!Exists)
        {
            return;
        }

        bool same;
        try
        {
            same = RunFolder.Holds(Folder, Configuration);
        }
        catch (ConfigurationException error)
        {
            throw new ModelException($"{error.Where}: wanted the configuration of the run {Arm.Key}, seed {Seed}, found a file that cannot be used ({error.What}); remove {Folder} and go on with --resume");
        }

        if (!same)
        {
            throw new ModelException($"{Folder}: wanted the run {Arm.Key}, seed {Seed}, with the settings given now, found one with others; give the settings it was started with, or another --output");
        }

        if (IsFinished)
        {
            _ = AblationResult.Read(this);
        }
    }
}
