namespace CoGrpo.Runtime.Sampling;

/// <summary>
/// The action space of a learned schedule. A raw action a (four numbers; zero for an untrained policy) is added to the residual R, the
/// inverse link of the hand-made schedule at this step, and the link takes the sum z = R + a to its range: sigmoid for r (or for the
/// factor r_t/r_(t-1) in relative mode), softplus for τ_s and τ_r, 1 + exp for s. All in fp64, so that zero actions give the hand-made
/// schedule's counts at every N, T and t. Clamps belong to the environment: log-probabilities are of the raw action.
/// </summary>
public sealed class ScheduleParametrization
{
    /// <summary>
    /// Below this a hand-made τ_r is taken as this, because softplus does not reach 0. It binds at the last step only, where τ_r has no effect.
    /// </summary>
    private const double RemaskTemperatureFloor = 1e-3;

    private readonly double[] _sigma;

    /// <summary>An action space with the given numbers.</summary>
    /// <exception cref="ArgumentException">
    /// A number is out of range. In particular the hand-made guidance must lie above 1: 1 + exp(z) reaches 1 only at z = -∞, so a schedule
    /// without guidance can be used by hand but cannot be the start of a learned one.
    /// </exception>
    public ScheduleParametrization(ScheduleParametrizationSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        HandMadeSettings hand = settings.HandMade;
        hand.Validate();
        Check(hand.Guidance > 1, "hand-made guidance", hand.Guidance,
            "a number above 1 (a learned guidance is 1 + exp(z), which has no finite starting point at 1; use for example 1.05, or a hand-made schedule alone)");
        Check(settings.MinGuidance >= 1, "smallest guidance", settings.MinGuidance, "at least 1, the limit of 1 + exp(z)");
        Check(hand.Guidance >= settings.MinGuidance && hand.Guidance <= settings.MaxGuidance, "hand-made guidance", hand.Guidance,
            $"a value in the permitted range [{settings.MinGuidance}, {settings.MaxGuidance}]");
        Check(settings.MinSamplingTemperature > 0 && hand.SamplingTemperature >= settings.MinSamplingTemperature
            && hand.SamplingTemperature <= settings.MaxSamplingTemperature, "hand-made sampling temperature", hand.SamplingTemperature,
            $"a value in the permitted range [{settings.MinSamplingTemperature}, {settings.MaxSamplingTemperature}], itself above 0");
        Check(hand.RemaskTemperature <= settings.MaxRemaskTemperature, "hand-made re-mask temperature", hand.RemaskTemperature,
            $"at most {settings.MaxRemaskTemperature}");
        Check(hand.RemaskTemperature >= RemaskTemperatureFloor || hand.Table1Literal, "hand-made re-mask temperature", hand.RemaskTemperature,
            $"at least {RemaskTemperatureFloor} (softplus has no finite starting point at 0)");
        Check(!hand.SinglePrecision, "single precision", 1, "off for a learned schedule");
        Check(settings.Smoothing is >= 0 and < 1, "smoothing", settings.Smoothing, "a number in [0,1)");
        _sigma = [settings.SigmaRemask, settings.SigmaSamplingTemperature, settings.SigmaRemaskTemperature, settings.SigmaGuidance];
        foreach (double sigma in _sigma)
        {
            Check(double.IsFinite(sigma) && sigma > 0, "sigma", sigma, "a standard deviation above 0 (use the mean to switch exploration off)");
        }

        Settings = settings;
    }

    /// <summary>The numbers it was made from.</summary>
    public ScheduleParametrizationSettings Settings { get; }

    /// <summary>Standard deviations of the Gaussian policy, in the order r, τ_s, τ_r, s.</summary>
    public ReadOnlySpan<double> Sigma => _sigma;

    /// <summary>
    /// Whether dimension <paramref name="dimension"/> of the action changes anything at this step: r and τ_r do not at the last one and stay out of
    /// the log-probability.
    /// </summary>
    public static bool IsEffective(int dimension, int step, int steps) => step < steps - 1 || dimension is 1 or 3;

    /// <summary>
    /// R: the inverse links of the hand-made schedule at step t of T, in the order r, τ_s, τ_r, s. At the last step the first is rounding noise.
    /// </summary>
    /// <param name="step">t.</param>
    /// <param name="steps">T.</param>
    /// <param name="residual">Four numbers out.</param>
    public void Residual(int step, int steps, Span<double> residual)
    {
        HandMadeSettings hand = Settings.HandMade;
        double u = (step + 1) / (double)steps;
        double remask = hand.Cosine(u);
        if (Settings.Mode == RemaskMode.Relative)
        {
            remask /= hand.Cosine(u - (1.0 / steps));
        }

        residual[0] = ScheduleLinks.Logit(remask);
        residual[1] = ScheduleLinks.InverseSoftplus(hand.SamplingTemperature);
        residual[2] = ScheduleLinks.InverseSoftplus(Math.Max(hand.RemaskTemperatureAt(step, steps), RemaskTemperatureFloor));
        residual[3] = ScheduleLinks.InverseOnePlusExp(hand.Guidance);
    }

    /// <summary>The action used at step t of T for raw action <paramref name="raw"/>; moves <paramref name="state"/> on.</summary>
    /// <param name="state">The image's state; <see cref="ScheduleState.Start"/> before step 0, and steps are taken in order.</param>
    /// <param name="step">t.</param>
    /// <param name="steps">T.</param>
    /// <param name="raw">Four numbers: policy mean plus exploration.</param>
    /// <param name="clamps">Actions that were cut to their range.</param>
    /// <exception cref="ArgumentException">A raw action is not a number.</exception>
    public ScheduleAction Apply(ref ScheduleState state, int step, int steps, ReadOnlySpan<double> raw, out ScheduleClamps clamps)
    {
        ScheduleAction used = Link(step, steps).Apply(ref state, raw, out clamps);
        return used.IsValid
            ? used
            : throw new ArgumentException(
                $"schedule action at step {step}: wanted finite raw values, got {raw[0]}, {raw[1]}, {raw[2]}, {raw[3]}; "
                    + "the schedule policy's weights are not finite, resume from an earlier checkpoint with a lower learning rate",
                nameof(raw)
            );
    }

    /// <summary>The action space at step t of T as plain numbers.</summary>
    /// <param name="step">t.</param>
    /// <param name="steps">T.</param>
    public ScheduleLink Link(int step, int steps)
    {
        Span<double> residual = stackalloc double[ScheduleAction.Count];
        Residual(step, steps, residual);
        return new ScheduleLink
        {
            ResidualRemask = residual[0],
            ResidualSampling = residual[1],
            ResidualRemaskTemperature = residual[2],
            ResidualGuidance = residual[3],
            Smoothing = Settings.Smoothing,
            MinSampling = Settings.MinSamplingTemperature,
            MaxSampling = Settings.MaxSamplingTemperature,
            MaxRemaskTemperature = Settings.MaxRemaskTemperature,
            MinGuidance = Settings.MinGuidance,
            MaxGuidance = Settings.MaxGuidance,
            Relative = Settings.Mode == RemaskMode.Relative,
            First = step == 0,
            Last = step == steps - 1,
        };
    }

    private static void Check(bool condition, string name, double got, string wanted)
    {
        if (!condition)
        {
            throw new ArgumentException($"learned schedule: {name} wanted {wanted}, got {got}; change it in the configuration");
        }
    }
}
