namespace CoGrpo.Bench;

/// <summary>What one call of a benchmark does by formula, independent of how it is implemented.</summary>
/// <param name="Gigaflops">Billions of operations, a multiply-add counting two; NaN where transcendental functions dominate and a count says
/// nothing.</param>
/// <param name="Megabytes">Millions of bytes that must be read and written at least once; NaN where caches make it meaningless.</param>
/// <param name="Threads">Threads at work: the peak to compare with.</param>
public readonly record struct Work(double Gigaflops, double Megabytes, int Threads);
