namespace CoGrpo.Runtime.Backends;

/// <summary>
/// Where an operation reads its random numbers: the Philox key (see <see cref="Randomness.Philox.Key"/>) and the step word of the counter. The
/// key lies in device memory, so that recorded work draws other numbers at every launch.
/// </summary>
/// <param name="Key">Int64 [1]: the key of seed and purpose.</param>
/// <param name="Step">Sampling step t.</param>
public readonly record struct NoiseAddress(Tensor Key, int Step);
