namespace CoGrpo.Rl.Training;

/// <summary>Measures of finished rollouts that are never trained on: they show when a reward is hacked.</summary>
public interface IRolloutWatch
{
    /// <summary>Mean strict score and how different the pictures of a group are, in [0,1], over a rollout; NaN for what is not measured.</summary>
    /// <param name="prompts">[B] prompt of each picture; groups of <paramref name="group"/> stand together.</param>
    /// <param name="codes">[B,N].</param>
    /// <param name="group">G.</param>
    (double Judge, double Diversity) Watch(ReadOnlySpan<IPrompt> prompts, ReadOnlySpan<int> codes, int group);
}
