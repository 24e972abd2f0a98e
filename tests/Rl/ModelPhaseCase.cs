using System.Text.Json;
using CoGrpo.Rl;
using CoGrpo.Tests.Fixtures;

namespace CoGrpo.Tests.Rl;

/// <summary>One golden case of the model phase, with segment = trajectory * T + step.</summary>
internal sealed class ModelPhaseCase
{
    private readonly JsonElement _case;
    private readonly int _steps;

    public ModelPhaseCase(string name)
    {
        _case = FixtureFolder.Json("grpo", "model-phase", "cases.json").EnumerateArray().First(x => x.GetProperty("case").GetString() == name);
        Inputs = new FixtureFile(FixtureFolder.At("grpo", "model-phase", _case.GetProperty("inputs").GetString()!));
        Outputs = new FixtureFile(FixtureFolder.At("grpo", "model-phase", name + ".outputs.safetensors"));
        _steps = _case.GetProperty("T").GetInt32();
        Segments = [.. Inputs.Ints("row_traj").Zip(Inputs.Ints("row_step"), (b, t) => (b * _steps) + t)];
        Advantages = [.. Inputs.Doubles("adv").SelectMany(a => Enumerable.Repeat(a, _steps))];
        Weights = Inputs.Doubles("step_weight");
    }

    public FixtureFile Inputs { get; }

    public FixtureFile Outputs { get; }

    public int[] Segments { get; }

    public double[] Advantages { get; }

    public double[] Weights { get; }

    public int Rows => _case.GetProperty("rows").GetInt32();

    public int Vocabulary => _case.GetProperty("vocab").GetInt32();

    public string Mode => _case.GetProperty("cfggrad").GetString()!;

    public bool OnPolicy => _case.GetProperty("mode").GetString() == "onpolicy";

    public double KlWeight => _case.GetProperty("beta").GetDouble();

    public double Normalizer => _case.GetProperty("B").GetInt32() * (double)_case.GetProperty("N").GetInt32();

    public ObjectiveSettings Settings(double klWeight) => new()
    {
        Clip = _case.GetProperty("eps").GetDouble(),
        LogRatioClamp = _case.GetProperty("log_ratio_clamp").GetDouble(),
        OnPolicy = OnPolicy,
        KlWeight = klWeight,
    };

    public float[] PerRow(string name)
    {
        float[] values = Inputs.Floats(name);
        return [.. Segments.Select(i => values[i])];
    }
}
