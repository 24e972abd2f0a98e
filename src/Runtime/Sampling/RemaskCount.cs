namespace CoGrpo.Runtime.Sampling;

/// <summary>
/// How many codes of an image stay masked after a step: the share r as an integer, kept strictly falling and above zero until the last step.
/// </summary>
public static class RemaskCount
{
    /// <summary>
    /// floor(N·r + 1e-7) in fp64, at most one less than are masked now, at least 1; 0 at the last step. The 1e-7 lets r go through a
    /// link and its inverse without losing a code where N·r is an integer. With one masked code before the last step nothing is decoded.
    /// </summary>
    /// <param name="codes">N.</param>
    /// <param name="remask">r.</param>
    /// <param name="masked">Codes masked before the step; 0 gives 0.</param>
    /// <param name="step">t.</param>
    /// <param name="steps">T.</param>
    public static int Of(int codes, double remask, int masked, int step, int steps) =>
        Clamp((int)Math.Clamp(Math.Floor((codes * remask) + 1e-7), 0, codes), masked, step, steps);

    /// <summary>
    /// The reference implementation's rule: floor(N·r) in fp32. One code fewer than <see cref="Of"/> where N·cos(π/3) is an integer
    /// ((t+1)/T = 2/3); only for reproducing that implementation.
    /// </summary>
    public static int OfSingle(int codes, float remask, int masked, int step, int steps) =>
        Clamp((int)Math.Clamp(MathF.Floor(codes * remask), 0, codes), masked, step, steps);

    private static int Clamp(int count, int masked, int step, int steps) =>
        step == steps - 1 || masked == 0 ? 0 : Math.Max(Math.Min(count, masked - 1), 1);
}
