using System.Text.Json.Serialization;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Model.Schedule;

/// <summary>The <c>config.json</c> of a <see cref="SchedulePolicyFolder"/>. Every key is required and no other is accepted.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record SchedulePolicyDocument
{
    /// <summary>Names of the actions in the policy's output order.</summary>
    public static readonly string[] ActionNames = ["remaskRatio", "samplingTemperature", "remaskTemperature", "guidance"];

    public required int FeatureDim { get; init; }

    public required int SinusoidDim { get; init; }

    public required int TimeDim { get; init; }

    public required int Grid { get; init; }

    public required int Pointwise { get; init; }

    public required int Mlp1 { get; init; }

    public required int Mlp2 { get; init; }

    public required int TrainedSteps { get; init; }

    public required IReadOnlyList<string> TrainedActions { get; init; }

    public required string Mode { get; init; }

    public required IReadOnlyList<double> Sigma { get; init; }

    public required double Smoothing { get; init; }

    public required HandMadePart HandMade { get; init; }

    /// <summary>The document of a policy.</summary>
    public static SchedulePolicyDocument Of(SchedulePolicyConfig sizes, SchedulePolicySettings settings)
    {
        ScheduleParametrizationSettings p = settings.Parametrization;
        return new SchedulePolicyDocument
        {
            FeatureDim = sizes.FeatureDim,
            SinusoidDim = sizes.SinusoidDim,
            TimeDim = sizes.TimeDim,
            Grid = sizes.Grid,
            Pointwise = sizes.Pointwise,
            Mlp1 = sizes.Mlp1,
            Mlp2 = sizes.Mlp2,
            TrainedSteps = settings.TrainedSteps,
            TrainedActions = [.. ActionNames.Where((_, k) => settings.TrainedActions[k])],
            Mode = p.Mode == RemaskMode.Relative ? "relative" : "absolute",
            Sigma = [p.SigmaRemask, p.SigmaSamplingTemperature, p.SigmaRemaskTemperature, p.SigmaGuidance],
            Smoothing = p.Smoothing,
            HandMade = new HandMadePart
            {
                Guidance = p.HandMade.Guidance,
                CosineExponent = p.HandMade.CosineExponent,
                RemaskTemperature = p.HandMade.RemaskTemperature,
                SamplingTemperature = p.HandMade.SamplingTemperature,
                Table1Literal = p.HandMade.Table1Literal,
            },
        };
    }

    /// <summary>The sizes; <paramref name="path"/> is named in errors.</summary>
    public SchedulePolicyConfig Sizes(string path)
    {
        // The last layers are small matrices; a damaged number must not become an allocation of gigabytes.
        const int Most = 1 << 14;
        (string Key, int Value)[] sizes =
        [
            ("featureDim", FeatureDim),
            ("sinusoidDim", SinusoidDim),
            ("timeDim", TimeDim),
            ("grid", Grid),
            ("pointwise", Pointwise),
            ("mlp1", Mlp1),
            ("mlp2", Mlp2),
        ];
        foreach ((string key, int value) in sizes)
        {
            Demand(value is >= 1 and <= Most, path, key, $"a size from 1 to {Most}", value);
        }

        Demand(SinusoidDim % 2 == 0, path, "sinusoidDim", "an even number", SinusoidDim);
        return new SchedulePolicyConfig(FeatureDim, SinusoidDim, TimeDim, Grid, Pointwise, Mlp1, Mlp2);
    }

    /// <summary>The settings; <paramref name="path"/> is named in errors.</summary>
    public SchedulePolicySettings Settings(string path)
    {
        Demand(TrainedSteps is >= 1 and <= 4096, path, "trainedSteps", "a number from 1 to 4096", TrainedSteps);
        Demand(Mode is "relative" or "absolute", path, "mode", "relative or absolute", Mode);
        Demand(Sigma.Count == 4, path, "sigma", "four numbers", $"{Sigma.Count} of them");
        Demand(TrainedActions.Count > 0, path, "trainedActions", $"one or more of {string.Join(", ", ActionNames)}", "none");
        foreach (string action in TrainedActions)
        {
            Demand(ActionNames.Contains(action), path, "trainedActions", $"one or more of {string.Join(", ", ActionNames)}", action);
        }

        return new SchedulePolicySettings(TrainedSteps, [.. ActionNames.Select(TrainedActions.Contains)], new ScheduleParametrizationSettings
        {
            Mode = Mode == "relative" ? RemaskMode.Relative : RemaskMode.Absolute,
            SigmaRemask = Sigma[0],
            SigmaSamplingTemperature = Sigma[1],
            SigmaRemaskTemperature = Sigma[2],
            SigmaGuidance = Sigma[3],
            Smoothing = Smoothing,
            HandMade = new HandMadeSettings
            {
                Guidance = HandMade.Guidance,
                CosineExponent = HandMade.CosineExponent,
                RemaskTemperature = HandMade.RemaskTemperature,
                SamplingTemperature = HandMade.SamplingTemperature,
                Table1Literal = HandMade.Table1Literal,
            },
        });
    }

    private static void Demand(bool holds, string path, string key, string wanted, object got)
    {
        if (!holds)
        {
            throw new ModelException(
                FormattableString.Invariant($"{path}: {key}: wanted {wanted}, got {got}; restore the file from the run that wrote it")
            );
        }
    }

    /// <summary>The hand-made schedule that zero actions reproduce.</summary>
    [JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
    public sealed record HandMadePart
    {
        public required double Guidance { get; init; }

        public required double CosineExponent { get; init; }

        public required double RemaskTemperature { get; init; }

        public required double SamplingTemperature { get; init; }

        public required bool Table1Literal { get; init; }
    }
}
