using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>testp: what kind of number a value is.</summary>
internal static unsafe class FloatTests
{
    /// <summary>F: 0 finite, 1 infinite, 2 a number, 3 none, 4 normal, 5 subnormal.</summary>
    public static Instr* Test<TBank, TFormat>(Warp warp, Instr* at)
        where TBank : struct, IBank
        where TFormat : struct, IFloatFormat
    {
        byte* a = TBank.Slot(warp, at->A);
        uint result = 0;
        for (int lane = 0; lane < 32; lane++)
        {
            ulong bits = TBank.Load(a, lane);
            double x = TFormat.ToDouble(bits);
            bool tiny = ((bits >> (TFormat.Precision - 1)) & ((1UL << TFormat.ExponentBits) - 1)) == 0 && x != 0;
            bool holds = at->F switch
            {
                0 => double.IsFinite(x),
                1 => double.IsInfinity(x),
                2 => !double.IsNaN(x),
                3 => double.IsNaN(x),
                4 => double.IsFinite(x) && x != 0 && !tiny,
                _ => tiny,
            };
            result |= holds ? 1u << lane : 0;
        }

        LaneVectors.StorePredicate(warp, at->D, result);
        return at + 1;
    }
}
