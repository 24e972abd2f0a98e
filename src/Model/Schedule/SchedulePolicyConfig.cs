namespace CoGrpo.Model.Schedule;

/// <summary>Sizes of a <see cref="SchedulePolicy"/> (specs/schedule-policy.md 5).</summary>
/// <param name="FeatureDim">Width d of the transformer features.</param>
/// <param name="SinusoidDim">Width f of the time sinusoid.</param>
/// <param name="TimeDim">Width e of the time embedding.</param>
/// <param name="Grid">Side g of the grid behind the stride-2 convolution; features are pooled to 2g x 2g first.</param>
/// <param name="Pointwise">Channels c behind the pointwise convolution.</param>
/// <param name="Mlp1">Width of the first hidden layer.</param>
/// <param name="Mlp2">Width of the second hidden layer.</param>
public sealed record SchedulePolicyConfig(int FeatureDim, int SinusoidDim, int TimeDim, int Grid, int Pointwise, int Mlp1, int Mlp2)
{
    /// <summary>Actions per step: r, τ_s, τ_r, s.</summary>
    public const int Actions = 4;

    /// <summary>Side of the pooled feature grid.</summary>
    public int PooledGrid => 2 * Grid;

    /// <summary>Number of weights by the formula of specs/schedule-policy.md 5.</summary>
    public long ParameterCount
    {
        get
        {
            long d = FeatureDim,
                f = SinusoidDim,
                e = TimeDim,
                g = Grid,
                c = Pointwise,
                m1 = Mlp1,
                m2 = Mlp2;
            return (f * e)
                + e
                + (e * e)
                + e
                + (2 * d * (e + 1))
                + (10 * d)
                + (c * (d + 1))
                + (m1 * ((g * g * c) + 1))
                + (2 * m1 * (e + 1))
                + (m2 * (m1 + 1))
                + (2 * m2 * (e + 1))
                + (Actions * (m2 + 1));
        }
    }

    /// <summary>The row of the table for a transformer of width <paramref name="width"/>: P9 for 1024, its small versions below.</summary>
    /// <exception cref="ModelException">The table has no such row.</exception>
    public static SchedulePolicyConfig ForWidth(int width) =>
        width switch
        {
            1024 => new(1024, 256, 512, 8, 80, 1024, 512),
            512 => new(512, 256, 256, 4, 96, 512, 256),
            384 => new(384, 256, 192, 4, 64, 384, 192),
            256 => new(256, 128, 128, 4, 48, 256, 128),
            192 => new(192, 96, 96, 4, 40, 192, 96),
            128 => new(128, 64, 64, 4, 32, 128, 64),
            64 => new(64, 32, 32, 4, 16, 64, 32),
            _ => throw new ModelException(
                $"schedule policy: wanted a transformer width of 64, 128, 192, 256, 384, 512 or 1024, got {width}; give the policy's sizes explicitly"
            ),
        };
}
