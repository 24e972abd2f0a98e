using CoGrpo.Model.Conversion;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Backends.Plan;

namespace CoGrpo.Model.Vq;

/// <summary>
/// The published picture tokenizer (diffusers <c>VQModel</c>, specs/meissonic.md 5), forward only: pictures in [0,1] to codes and codes to pictures.
/// Maps are [B,H,W,C]; parameters have the published names and shapes. Driven by the thread that drives its backend.
/// </summary>
public sealed class VqModel : IDisposable
{
    private readonly VqEncoder _encoder;
    private readonly VqDecoder _decoder;
    private readonly Parameter _codebook;
    private Arena? _arena;
    private VqMemory? _memory;
    private (bool Decodes, int Images, int Height, int Width) _memoryFor;

    /// <summary>
    /// A model with zero weights; load <see cref="Parameters"/> before use. With <paramref name="share"/> a replica that uses those weights and has
    /// work memory of its own.
    /// </summary>
    /// <exception cref="ModelException">The configuration does not describe a model of this kind.</exception>
    public VqModel(VqConfig config, IBackend backend, ParameterStore? share = null)
    {
        Config = config.Validated();
        Backend = backend;
        Parameters = new ParameterStore(backend, backend.Storage, "picture model");
        _encoder = new VqEncoder(Parameters, config);
        _codebook = Parameters.Declare("quantize.embedding.weight", new Shape(config.NumVqEmbeddings, config.CodeWidth));
        _decoder = new VqDecoder(Parameters, config);
        Parameters.Seal(share);
    }

    /// <summary>Where the model lives.</summary>
    public IBackend Backend { get; }

    /// <summary>The architecture.</summary>
    public VqConfig Config { get; }

    /// <summary>The weights, owned by this model.</summary>
    public ParameterStore Parameters { get; }

    /// <summary>Bytes of work memory held: enough for the largest pass since <see cref="ReleaseMemory"/>.</summary>
    public long WorkBytes => _arena?.ReservedBytes ?? 0;

    /// <summary>Called with the name and value of each intermediate of the golden fixtures.</summary>
    internal Action<string, Tensor>? Trace { get; set; }

    /// <summary>The architecture in a folder in the published layout; no weight is read.</summary>
    /// <exception cref="ModelException">The file is missing or malformed.</exception>
    public static VqConfig ReadArchitecture(string folder) =>
        ConfigFile.Read<VqConfig>(Path.Combine(folder, NetworkFolder.ConfigName), "the folder of a picture model");

    /// <summary>
    /// Reads a folder in the published layout: <c>config.json</c> and the weights in one file or several (<see cref="NetworkFolder"/>).
    /// </summary>
    /// <exception cref="ModelException">A file is missing or does not fit.</exception>
    /// <exception cref="Runtime.Files.WeightsFileException">The weight file is damaged.</exception>
    public static VqModel Load(string folder, IBackend backend)
    {
        var model = new VqModel(ReadArchitecture(folder), backend);
        try
        {
            NetworkFolder.PictureModel.Load(folder, model.Parameters, backend);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Codes of pictures.</summary>
    /// <param name="pictures">fp32 [B,H,W,3] in [0,1], contiguous, on this model's device; H and W multiples of
    /// <see cref="VqConfig.Factor"/>.</param>
    /// <returns>Int32 [B,H/Factor,W/Factor], in memory of this model until its next pass.</returns>
    /// <exception cref="ModelException">The pictures do not have such a shape.</exception>
    public Tensor Encode(Tensor pictures)
    {
        Shape s = pictures.Shape;
        int factor = Config.Factor;
        bool fits =
            s.Rank == 4
            && s.Columns == Config.InChannels
            && s.Count > 0
            && s[1] % factor == 0
            && s[2] % factor == 0
            && pictures.Type == ElementType.Float32
            && pictures.IsContiguous;
        if (!fits)
        {
            throw new ModelException($"picture encoder input: wanted Float32 [images,height,width,{Config.InChannels}] with sides that are multiples of {factor}, got {pictures}; cut or enlarge the pictures");
        }

        VqMemory memory = Memory(
            decodes: false,
            s[0],
            s[1],
            s[2],
            measured => RunEncoder(new VqPass(new PlanBackend(Parameters.Storage), measured, null), pictures)
        );
        return RunEncoder(new VqPass(Backend, memory, Trace), pictures);
    }

    /// <summary>Pictures of codes.</summary>
    /// <param name="codes">Int32 [B,h,w], contiguous, every one in [0, codebook size), on this model's device.</param>
    /// <returns>fp32 [B,h·Factor,w·Factor,3], about [0,1] and not cut to it, in memory of this model until its next pass.</returns>
    /// <exception cref="ModelException">The codes do not have such a shape.</exception>
    public Tensor Decode(Tensor codes)
    {
        Shape s = codes.Shape;
        if (s.Rank != 3 || s.Count == 0 || codes.Type != ElementType.Int32 || !codes.IsContiguous)
        {
            throw new ModelException(
                $"picture decoder input: wanted Int32 [images,rows,columns] of codes, got {codes}; pass the code grid of each picture"
            );
        }

        VqMemory memory = Memory(
            decodes: true,
            s[0],
            s[1],
            s[2],
            measured => RunDecoder(new VqPass(new PlanBackend(Parameters.Storage), measured, null), codes)
        );
        return RunDecoder(new VqPass(Backend, memory, Trace), codes);
    }

    /// <summary>Gives the work memory back; the next pass takes it again.</summary>
    public void ReleaseMemory()
    {
        _arena?.Dispose();
        (_arena, _memory, _memoryFor) = (null, null, default);
    }

    /// <summary>Frees weights and work memory.</summary>
    public void Dispose()
    {
        ReleaseMemory();
        Parameters.Dispose();
    }

    private Tensor RunEncoder(VqPass pass, Tensor pictures)
    {
        Shape s = pictures.Shape;
        Tensor x = pass.Memory.Input(s, Parameters.Storage);
        pass.Backend.Copy(pictures, x);
        pass.Memory.Begin(x);
        _encoder.Run(pass);
        Tensor latents = pass.Stream;
        Tensor codes = pass.Memory.Free(0, new Shape(s[0], latents.Shape[1], latents.Shape[2]), ElementType.Int32);
        pass.Backend.NearestCode(latents, _codebook.Value, codes);
        return codes;
    }

    private Tensor RunDecoder(VqPass pass, Tensor codes)
    {
        Shape s = codes.Shape;
        Tensor x = pass.Memory.Input(new Shape(s[0], s[1], s[2], Config.CodeWidth), Parameters.Storage);
        Shape rows = new(s[0], s[1] * s[2]);
        pass.Backend.Embedding(codes.Reshape(rows), _codebook.Compute, default, x.Reshape(new Shape(rows[0], rows[1], Config.CodeWidth)));
        pass.Memory.Begin(x);
        _decoder.Run(pass);
        return pass.Stream;
    }

    private VqMemory Memory(bool decodes, int images, int height, int width, Action<VqMemory> measure)
    {
        if (_memory is not null && _memoryFor == (decodes, images, height, width))
        {
            return _memory;
        }

        var measured = new VqMemory();
        measure(measured);
        if (WorkBytes < measured.Bytes)
        {
            ReleaseMemory();
            _arena = Backend.CreateArena("pictures", measured.Bytes);
        }

        _arena!.Release(default);
        _memory = new VqMemory(measured, _arena);
        _memoryFor = (decodes, images, height, width);
        return _memory;
    }
}
