using CoGrpo.Model.Lora;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Model.Meissonic;

/// <summary>
/// The Meissonic masked image transformer (specs/meissonic.md 2-3) at any size, with the published parameter names: code embedding,
/// optional down and up block, double- and single-stream blocks with AdaLN-Zero, QK RMS norm and 3-axis rotary embedding, MLM head.
/// </summary>
public sealed class MeissonicTransformer : IDisposable
{
    /// <summary>Micro-condition scalars per image.</summary>
    public const int MicroConditionCount = 5;

    private const float Epsilon = 1e-6f;

    private readonly IBackend _backend;
    private readonly Arena _tables;
    private readonly Tensor _frequencies;
    private readonly RotaryTable _rotary;
    private readonly Parameter _embeddings;
    private readonly Parameter _embedNorm;
    private readonly LinearParameters _embedConv;
    private readonly LinearParameters _condition1;
    private readonly LinearParameters _condition2;
    private readonly LinearParameters _time1;
    private readonly LinearParameters _time2;
    private readonly LinearParameters _text1;
    private readonly LinearParameters _text2;
    private readonly LinearParameters _contextEmbedder;
    private readonly Parameter _contextNorm;
    private readonly Parameter? _downNorm;
    private readonly Parameter? _downConv;
    private readonly Parameter _toHiddenNorm;
    private readonly LinearParameters _toHidden;
    private readonly DoubleStreamBlock[] _double;
    private readonly SingleStreamBlock[] _single;
    private readonly Parameter _fromHiddenNorm;
    private readonly LinearParameters _fromHidden;
    private readonly Parameter? _upNorm;
    private readonly Parameter? _upConv;
    private readonly LinearParameters _headConv1;
    private readonly Parameter _headNorm;
    private readonly LinearParameters _headConv2;
    private readonly HeadRows _headRows = new();
    private readonly List<LoraSlot> _slots = [];

    /// <summary>
    /// A network with zero weights; initialise or load <see cref="Parameters"/> before use. With <paramref name="share"/> a replica that uses those
    /// weights and has gradients of its own.
    /// </summary>
    /// <exception cref="ModelException">The configuration does not fit together.</exception>
    public MeissonicTransformer(TransformerConfig config, IBackend backend, ParameterStore? share = null)
    {
        Config = config.Validated();
        _backend = backend;
        _tables = backend.CreateArena("tables", 1 << 16);
        _frequencies = SinusoidFrequencies.Upload(backend, _tables);
        _rotary = new RotaryTable(backend, _tables, config);
        Parameters = new ParameterStore(backend, backend.Storage);
        ParameterStore store = Parameters;
        int width = config.Width;
        int sinusoid = 2 * SinusoidFrequencies.Count;
        _embeddings = store.Declare("embed.embeddings.weight", new Shape(config.VocabSize, width));
        _embedNorm = store.Declare("embed.layer_norm.weight", new Shape(width));
        _embedConv = new LinearParameters(store, "embed.conv", width, width, bias: false, convolution: true);
        _condition1 = new LinearParameters(
            store,
            "cond_embed.linear_1",
            config.PooledProjectionDim + (MicroConditionCount * sinusoid),
            width,
            bias: false
        );
        _condition2 = new LinearParameters(store, "cond_embed.linear_2", width, width, bias: false);
        _time1 = new LinearParameters(store, "time_text_embed.timestep_embedder.linear_1", sinusoid, width);
        _time2 = new LinearParameters(store, "time_text_embed.timestep_embedder.linear_2", width, width);
        _text1 = new LinearParameters(store, "time_text_embed.text_embedder.linear_1", width, width);
        _text2 = new LinearParameters(store, "time_text_embed.text_embedder.linear_2", width, width);
        _contextEmbedder = new LinearParameters(store, "context_embedder", config.JointAttentionDim, width);
        _contextNorm = store.Declare("encoder_proj_layer_norm.weight", new Shape(width));
        if (config.Downsample)
        {
            _downNorm = store.Declare("down_block.downsample.norm.weight", new Shape(width));
            _downConv = store.Declare("down_block.downsample.conv.weight", new Shape(width, width, 2, 2));
        }

        _toHiddenNorm = store.Declare("project_to_hidden_norm.weight", new Shape(width));
        _toHidden = new LinearParameters(store, "project_to_hidden", width, width, bias: false);
        _double = new DoubleStreamBlock[config.NumLayers];
        for (int i = 0; i < _double.Length; i++)
        {
            _double[i] = new DoubleStreamBlock(store, $"transformer_blocks.{i}", config, _rotary, _slots);
        }

        _single = new SingleStreamBlock[config.NumSingleLayers];
        for (int i = 0; i < _single.Length; i++)
        {
            _single[i] = new SingleStreamBlock(store, $"single_transformer_blocks.{i}", config, _rotary, _slots);
        }

        _fromHiddenNorm = store.Declare("project_from_hidden_norm.weight", new Shape(width));
        _fromHidden = new LinearParameters(store, "project_from_hidden", width, width, bias: false);
        if (config.Upsample)
        {
            _upNorm = store.Declare("up_block.upsample.norm.weight", new Shape(width));
            _upConv = store.Declare("up_block.upsample.conv.weight", new Shape(width, width, 2, 2));
        }

        _headConv1 = new LinearParameters(store, "mlm_layer.conv1", width, width, bias: false, convolution: true);
        _headNorm = store.Declare("mlm_layer.layer_norm.weight", new Shape(width));
        _headConv2 = new LinearParameters(store, "mlm_layer.conv2", width, config.CodebookSize, bias: false, convolution: true);
        store.Seal(share);
    }

    /// <summary>The architecture.</summary>
    public TransformerConfig Config { get; }

    /// <summary>The weights, owned by this network.</summary>
    public ParameterStore Parameters { get; }

    /// <summary>The adapters, owned by this network, or null.</summary>
    public LoraAdapters? Lora { get; private set; }

    /// <summary>What training updates: the adapters where there are any, else all weights.</summary>
    public ParameterStore Trained => Lora?.Parameters ?? Parameters;

    /// <summary>The projections that can have adapters, in the order of the network.</summary>
    public IReadOnlyList<LoraSlot> LoraSlots => _slots;

    /// <summary>[V,C] the weight of the last layer, which has no bias.</summary>
    public Tensor Head => _headConv2.Matrix;

    /// <summary>Called with the name and value of each intermediate of the golden fixtures; for parity tests and debugging.</summary>
    internal Action<string, Var>? Trace { get; set; }

    /// <summary>
    /// One forward pass. Returns logits [R,V] in fp32 for the rows asked for, or as much as <see cref="TransformerInput.Output"/> says;
    /// <paramref name="features"/> is the last single block's output [B,L+n,C], text rows first, the input of the schedule policy.
    /// </summary>
    /// <exception cref="ModelException">The grid is odd although the model halves it.</exception>
    public Var Forward(Tape tape, in TransformerInput input, out Var features)
    {
        int images = input.Codes.Shape[0];
        int factor = Config.Downsample ? 2 : 1;
        if (input.Height % factor != 0 || input.Width % factor != 0 || input.Codes.Columns != input.Height * input.Width)
        {
            throw new ModelException($"codes: wanted a grid of even sides over {input.Codes.Columns} codes, got {input.Height} x {input.Width}; choose another picture size");
        }

        Var condition = Condition(tape, in input);
        Var c = tape.RmsNorm(_contextEmbedder.Apply(tape, input.Context), tape.Parameter(_contextNorm), Epsilon);
        Trace?.Invoke("context", c);
        Var h = EmbedCodes(tape, in input);
        int length = tape.Value(c).Shape[1];
        int n = tape.Value(h).Shape[1];
        _rotary.Prepare(length, input.Height / factor, input.Width / factor);

        Span<Var> inputs = [h, c, condition];
        Span<Var> outputs = stackalloc Var[2];
        for (int i = 0; i < _double.Length; i++)
        {
            RunBlock(tape, _double[i], inputs, outputs, input.RecomputeBlocks);
            (inputs[0], inputs[1]) = (outputs[0], outputs[1]);
            Trace?.Invoke($"double.{i}.image", inputs[0]);
            Trace?.Invoke($"double.{i}.text", inputs[1]);
        }

        Var z = tape.Buffer(new Shape(images, length + n, Config.Width));
        tape.CopyTokens(inputs[1], 0, z, 0, length);
        tape.CopyTokens(inputs[0], 0, z, length, n);
        inputs = [z, condition];
        outputs = outputs[..1];
        for (int i = 0; i < _single.Length; i++)
        {
            RunBlock(tape, _single[i], inputs, outputs, input.RecomputeBlocks);
            inputs[0] = outputs[0];
            Trace?.Invoke($"single.{i}", inputs[0]);
        }

        features = inputs[0];
        return input.Output == TransformerOutput.Features ? default : HeadOf(tape, features, length, n, in input);
    }

    /// <summary>
    /// Puts adapters of zero effect on the projections named by <paramref name="shapes"/>, or the adapters of <paramref name="share"/>, whose weights
    /// they use with gradients of their own. To be called before replicas are made and before the first pass.
    /// </summary>
    /// <exception cref="InvalidOperationException">The network has adapters.</exception>
    /// <exception cref="ModelException">A shape names no projection.</exception>
    public LoraAdapters AddLora(IReadOnlyList<LoraShape> shapes, LoraAdapters? share = null)
    {
        if (Lora is not null)
        {
            throw new InvalidOperationException(
                "LoRA: wanted a network without adapters, got one that has them; fold those first and load the merged model"
            );
        }

        return Lora = new LoraAdapters(_slots, shapes, _backend, share);
    }

    /// <summary>Frees weights and tables.</summary>
    public void Dispose()
    {
        Lora?.Dispose();
        Parameters.Dispose();
        _tables.Dispose();
    }

    private static void RunBlock(Tape tape, ITapeSegment block, ReadOnlySpan<Var> inputs, Span<Var> outputs, bool recompute)
    {
        if (recompute || !tape.Recording)
        {
            tape.Recompute(block, inputs, outputs);
        }
        else
        {
            block.Run(tape, inputs, outputs);
        }
    }

    /// <summary>SiLU(temb) [B,C] (steps 1-5). Every block applies the same SiLU, so it is done once.</summary>
    private Var Condition(Tape tape, in TransformerInput input)
    {
        int images = input.Codes.Shape[0];
        int pooled = Config.PooledProjectionDim;
        int sinusoid = 2 * SinusoidFrequencies.Count;
        Tensor micro = tape.Activations.Allocate(new Shape(images * MicroConditionCount, sinusoid));
        _backend.Sinusoid(input.MicroConditions.Reshape(new Shape(images * MicroConditionCount)), _frequencies, micro);
        Tensor scaled = tape.Activations.Allocate(new Shape(images));
        Tensor time = tape.Activations.Allocate(new Shape(images, sinusoid));

        // The time path stays in fp32 up to the sinusoids: bf16 would make 4992 of 5000 (specs/meissonic.md, numerical notes).
        _backend.Scale(input.Time, 1000f, scaled);
        _backend.Sinusoid(scaled, _frequencies, time);
        Var timeSinusoid = tape.InStorage(tape.Constant(time));
        Var microSinusoid = tape.InStorage(tape.Constant(micro.Reshape(new Shape(images, MicroConditionCount * sinusoid))));
        Trace?.Invoke("timestep_sinusoid", timeSinusoid);
        Trace?.Invoke("micro_sinusoid", microSinusoid);

        Var joined = tape.Buffer(new Shape(images, pooled + (MicroConditionCount * sinusoid)));
        tape.Add(input.Pooled, into: tape.Columns(joined, 0, pooled));
        tape.Add(microSinusoid, into: tape.Columns(joined, pooled, MicroConditionCount * sinusoid));
        Var p = _condition2.Apply(tape, _condition1.Apply(tape, joined, Activation.Silu));
        Trace?.Invoke("cond_embed", p);
        Var timeEmbedding = _time2.Apply(tape, _time1.Apply(tape, timeSinusoid, Activation.Silu));
        Var textEmbedding = _text2.Apply(tape, _text1.Apply(tape, p, Activation.Silu));
        Var temb = tape.Add(timeEmbedding, textEmbedding);
        Trace?.Invoke("temb", temb);
        return tape.WithWideGradient(tape.Activate(temb, Activation.Silu));
    }

    /// <summary>Codes to the image stream [B,n,C] (steps 6, 8, 9).</summary>
    private Var EmbedCodes(Tape tape, in TransformerInput input)
    {
        int images = input.Codes.Shape[0];
        int width = Config.Width;
        Var h = tape.RmsNorm(tape.Embedding(input.Codes, tape.Parameter(_embeddings)), tape.Parameter(_embedNorm), Epsilon);
        h = _embedConv.Apply(tape, h);
        Trace?.Invoke("embed", h);
        int n = input.Height * input.Width;
        if (Config.Downsample)
        {
            h = tape.RmsNorm(h, tape.Parameter(_downNorm!), Epsilon);
            h = tape.SpaceToDepth(tape.Reshape(h, new Shape(images, input.Height, input.Width, width)));
            n /= 4;
            h = tape.Linear(tape.Reshape(h, new Shape(images, n, 4 * width)), tape.Parameter(_downConv!, new Shape(width, 4 * width)));
            Trace?.Invoke("down", h);
        }

        h = _toHidden.Apply(tape, tape.RmsNorm(h, tape.Parameter(_toHiddenNorm), Epsilon));
        Trace?.Invoke("project_to_hidden", h);
        return h;
    }

    /// <summary>
    /// Logits (steps 21-23) of the wanted rows only: everything behind the blocks is local to a grid token, so gathering tokens first is exact.
    /// </summary>
    private Var HeadOf(Tape tape, Var z, int length, int n, in TransformerInput input)
    {
        int images = input.Codes.Shape[0];
        int width = Config.Width;
        _headRows.Prepare(tape, in input, new HeadGrid(images, length, input.Height, input.Width, Config.Upsample));
        Var h = tape.GatherRows(tape.Reshape(z, new Shape(images * (length + n), width)), _headRows.Tokens);
        h = _fromHidden.Apply(tape, tape.RmsNorm(h, tape.Parameter(_fromHiddenNorm), Epsilon));
        Trace?.Invoke("project_from_hidden", h);
        if (Config.Upsample)
        {
            int tokens = tape.Value(h).Rows;
            h = tape.RmsNorm(h, tape.Parameter(_upNorm!), Epsilon);
            h = tape.Linear(h, tape.Parameter(_upConv!, new Shape(width, 4 * width)), layout: WeightLayout.InOut);
            h = tape.DepthToSpace(tape.Reshape(h, new Shape(tokens, 1, 1, 4 * width)));
            h = tape.GatherRows(tape.Reshape(h, new Shape(4 * tokens, width)), _headRows.Codes);
            Trace?.Invoke("up", h);
        }

        h = tape.RmsNorm(_headConv1.Apply(tape, h), tape.Parameter(_headNorm), Epsilon);
        if (input.Output == TransformerOutput.Hidden)
        {
            return h;
        }

        Var logits = _headConv2.Apply(tape, h, wide: true);
        Trace?.Invoke("logits", logits);
        return logits;
    }
}
