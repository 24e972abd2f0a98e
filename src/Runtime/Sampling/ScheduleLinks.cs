namespace CoGrpo.Runtime.Sampling;

/// <summary>
/// The links from an unbounded number to the range of an action, and their inverses, in fp64: a code count is the floor of N·r, and r
/// may stand 1e-4 codes from an integer, which fp32 does not resolve.
/// </summary>
public static class ScheduleLinks
{
    /// <summary>1/(1 + e^-z), the link of r.</summary>
    public static double Sigmoid(double z) => 1 / (1 + Math.Exp(-z));

    /// <summary>ln(p/(1-p)) for p in (0,1); infinite at the ends.</summary>
    public static double Logit(double p) => Math.Log(p) - LogOnePlus(-p);

    /// <summary>ln(1 + e^z), the link of both temperatures.</summary>
    public static double Softplus(double z) => Math.Max(z, 0) + LogOnePlus(Math.Exp(-Math.Abs(z)));

    /// <summary>x + ln(1 - e^-x) for x &gt; 0.</summary>
    public static double InverseSoftplus(double x) => x + Math.Log(-ExpMinusOne(-x));

    /// <summary>1 + e^z, the link of the guidance scale: a step in z is a factor on s - 1, at any s.</summary>
    public static double OnePlusExp(double z) => 1 + Math.Exp(z);

    /// <summary>ln(s - 1) for s &gt; 1; minus infinity at 1.</summary>
    public static double InverseOnePlusExp(double s) => Math.Log(s - 1);

    // ln(1+x) and e^x - 1 without the cancellation of the plain forms: the rounding of 1+x (of e^x) is divided out again.
    private static double LogOnePlus(double x)
    {
        double u = 1 + x;
        return u == 1 ? x : Math.Log(u) * x / (u - 1);
    }

    private static double ExpMinusOne(double x)
    {
        double u = Math.Exp(x);
        return u == 1 ? x : u == 0 ? -1 : (u - 1) * x / Math.Log(u);
    }
}
