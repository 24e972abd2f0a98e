using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Runtime.Backends;

/// <summary>Where an operation reads its random numbers: the Philox key (seed, stream) and the step word of the counter.</summary>
/// <param name="Seed">Seed of the run.</param>
/// <param name="Stream">Purpose of the numbers, so that two uses never share bits.</param>
/// <param name="Step">Sampling step t.</param>
public readonly record struct NoiseAddress(ulong Seed, RandomStream Stream, int Step);
