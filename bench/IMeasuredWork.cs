namespace CoGrpo.Bench;

/// <summary>A suite that knows the work of its benchmarks. Asked on an instance that has parameters set but was not set up.</summary>
public interface IMeasuredWork
{
    /// <summary>The work of one call of <paramref name="method"/>.</summary>
    Work WorkOf(string method);
}
