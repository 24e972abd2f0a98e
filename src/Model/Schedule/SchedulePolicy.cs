using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Model.Schedule;

/// <summary>
/// The scheduling policy's mean δ (specs/schedule-policy.md 5, "P9" at any size): pooled features of the transformer's last block, AdaLN
/// with the step's time, one depthwise and one pointwise convolution, an MLP to four raw actions. AdaNAT's parameter names.
/// The last layer starts at zero, so an untrained policy is the hand-made schedule.
/// </summary>
public sealed class SchedulePolicy : IDisposable
{
    private const float Epsilon = 1e-6f;

    private readonly IBackend _backend;
    private readonly Arena _tables;
    private readonly Tensor _frequencies;
    private readonly LinearParameters _time1;
    private readonly LinearParameters _time2;
    private readonly LinearParameters[] _modulations;
    private readonly Parameter _depthwise;
    private readonly Parameter _depthwiseBias;
    private readonly LinearParameters _pointwise;
    private readonly LinearParameters _linear1;
    private readonly LinearParameters _linear2;
    private readonly LinearParameters _linear3;

    /// <summary>
    /// A policy with zero weights; initialise or load <see cref="Parameters"/> before use. With <paramref name="share"/> a replica that uses those
    /// weights and has gradients of its own.
    /// </summary>
    public SchedulePolicy(SchedulePolicyConfig config, IBackend backend, ParameterStore? share = null)
    {
        Config = config;
        _backend = backend;
        _tables = backend.CreateArena("tables", 1 << 12);
        int half = config.SinusoidDim / 2;
        float[] frequencies = new float[half];
        for (int k = 0; k < half; k++)
        {
            frequencies[k] = MathF.Exp(-(float)Math.Log(10000) * k / half);
        }

        _frequencies = _tables.Allocate(new Shape(half));
        backend.Upload<float>(frequencies, _frequencies);
        
        // Small, and its four numbers decide over whole pictures: fp32 whatever the model computes in (specs/schedule-policy.md 5).
        Parameters = new ParameterStore(backend, ElementType.Float32, "schedule policy");
        int e = config.TimeDim;
        _time1 = new LinearParameters(Parameters, "t_embedder.mlp.0", config.SinusoidDim, e);
        _time2 = new LinearParameters(Parameters, "t_embedder.mlp.2", e, e);
        _modulations =
        [
            new LinearParameters(Parameters, "adaLN1.adaLN_modulation.1", e, 2 * config.FeatureDim),
            new LinearParameters(Parameters, "adaLN2.adaLN_modulation.1", e, 2 * config.Mlp1),
            new LinearParameters(Parameters, "adaLN3.adaLN_modulation.1", e, 2 * config.Mlp2),
        ];
        _depthwise = Parameters.Declare("dw_conv.weight", new Shape(config.FeatureDim, 1, 3, 3));
        _depthwiseBias = Parameters.Declare("dw_conv.bias", new Shape(config.FeatureDim));
        _pointwise = new LinearParameters(Parameters, "pw_conv", config.FeatureDim, config.Pointwise, convolution: true);
        _linear1 = new LinearParameters(Parameters, "linear1", config.Pointwise * config.Grid * config.Grid, config.Mlp1);
        _linear2 = new LinearParameters(Parameters, "linear2", config.Mlp1, config.Mlp2);
        _linear3 = new LinearParameters(Parameters, "linear3", config.Mlp2, SchedulePolicyConfig.Actions);
        Parameters.Seal(share);
    }

    /// <summary>Where the network lives.</summary>
    public IBackend Backend => _backend;

    /// <summary>The sizes.</summary>
    public SchedulePolicyConfig Config { get; }

    /// <summary>The weights, owned by this network.</summary>
    public ParameterStore Parameters { get; }

    /// <summary>Called with the name and value of each intermediate of the golden fixtures.</summary>
    internal Action<string, Var>? Trace { get; set; }

    /// <summary>
    /// δ [B,4] in the order r, τ_s, τ_r, s. <paramref name="features"/> [B,height*width,d] image rows of the last block, not modified and
    /// without gradient, fp32 or bf16; sides equal to the pooled grid or multiples of it. The pass computes in fp32. <paramref name="time"/> [B] the
    /// remapped step t̃ in trained-step units.
    /// </summary>
    /// <exception cref="ModelException">The grid cannot be pooled.</exception>
    public Var Forward(Tape tape, Tensor features, int height, int width, Tensor time)
    {
        int side = Config.PooledGrid;
        int images = features.Shape[0];
        if (height % side != 0 || width % side != 0)
        {
            throw new ModelException($"schedule policy features: wanted a token grid with sides that are multiples of {side}, got {height} x {width}; choose a policy with a smaller grid");
        }

        Tensor sinusoid = tape.Activations.Allocate(new Shape(images, Config.SinusoidDim));
        _backend.Sinusoid(time, _frequencies, sinusoid);
        Trace?.Invoke("act.time_sinusoid", tape.Constant(sinusoid));
        Var c = _time2.Apply(tape, _time1.Apply(tape, tape.Constant(sinusoid), Activation.Silu));
        Trace?.Invoke("act.c", c);
        c = tape.Activate(c, Activation.Silu);

        Var x = tape.InStorage(tape.Constant(features.Reshape(new Shape(images, height, width, Config.FeatureDim))));
        if (height != side || width != side)
        {
            x = tape.AreaMean(x, side, side);
        }

        x = Modulate(tape, 0, c, tape.Reshape(x, new Shape(images, side * side, Config.FeatureDim)), Config.FeatureDim);
        Trace?.Invoke("act.adaln1", x);
        x = tape.Reshape(x, new Shape(images, side, side, Config.FeatureDim));
        x = tape.Activate(tape.DepthwiseConv(x, tape.Parameter(_depthwise), tape.Parameter(_depthwiseBias)), Activation.GeluErf);
        Trace?.Invoke("act.dw", x);
        int cells = Config.Grid * Config.Grid;
        x = _pointwise.Apply(tape, tape.Reshape(x, new Shape(images, cells, Config.FeatureDim)), Activation.GeluErf);
        Trace?.Invoke("act.pw", x);
        x = tape.Reshape(tape.TransposeTokens(x), new Shape(images, Config.Pointwise * cells));
        x = Hidden(tape, 1, c, _linear1.Apply(tape, x), Config.Mlp1);
        Trace?.Invoke("act.h1", x);
        x = Hidden(tape, 2, c, _linear2.Apply(tape, x), Config.Mlp2);
        Trace?.Invoke("act.h2", x);
        Var delta = _linear3.Apply(tape, x);
        Trace?.Invoke("delta", delta);
        return delta;
    }

    /// <summary>Frees weights and tables.</summary>
    public void Dispose()
    {
        Parameters.Dispose();
        _tables.Dispose();
    }

    private Var Hidden(Tape tape, int index, Var c, Var x, int width)
    {
        int images = tape.Value(x).Rows;
        Var y = Modulate(tape, index, c, tape.Reshape(x, new Shape(images, 1, width)), width);
        return tape.Activate(tape.Reshape(y, new Shape(images, width)), Activation.GeluErf);
    }

    private Var Modulate(Tape tape, int index, Var c, Var x, int width)
    {
        Var modulation = _modulations[index].Apply(tape, c);
        return tape.AdaLn(x, tape.Columns(modulation, 0, width), tape.Columns(modulation, width, width), Epsilon);
    }
}
