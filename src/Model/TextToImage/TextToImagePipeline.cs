using CoGrpo.Model.Conversion;
using CoGrpo.Model.Images;
using CoGrpo.Model.Meissonic;
using CoGrpo.Model.Tokenizers;
using CoGrpo.Model.Vq;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Randomness;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Model.TextToImage;

/// <summary>
/// A published model folder (specs/meissonic.md 0.1) from prompt to pixels: tokenizer, text encoder, transformer, sampling loop, VQ decoder. Text to
/// image, image to image and in-painting at one picture size. Driven by one thread.
/// </summary>
public sealed class TextToImagePipeline : IDisposable
{
    private readonly TextToImageModel _model;
    private readonly VqModel _vq;
    private readonly ITextTokenizer _text;
    private readonly VqTokenizer _pictures;
    private readonly TextToImageMaskedModel _masked;
    private readonly MaskedSampler _sampler;

    private TextToImagePipeline(TextToImageModel model, VqModel vq, ITextTokenizer text, PipelineOptions options)
    {
        (_model, _vq, _text) = (model, vq, text);
        Check(model, vq, text);
        (int height, int width) = Grid(model, vq, options.Height, options.Width);
        _pictures = new VqTokenizer(vq, height, width, model.Transformer.Config.MaskToken);
        _masked = new TextToImageMaskedModel(model, _pictures.GridHeight, _pictures.GridWidth, vq.Config.Factor, options.Time);
        _sampler = new MaskedSampler(_masked, new SamplerOptions { MicroBatch = options.MicroBatch, CountRule = options.CountRule });
    }

    /// <summary>Pixels in a row of a picture.</summary>
    public int Width => _pictures.PictureWidth;

    /// <summary>Rows of a picture.</summary>
    public int Height => _pictures.PictureHeight;

    /// <summary>Transformer and text encoder.</summary>
    public TextToImageModel Model => _model;

    /// <summary>Rows and columns of the features that a learned schedule reads.</summary>
    public (int Height, int Width) FeatureGrid => _masked.FeatureGrid;

    /// <summary>Reads a model folder: transformer/, text_encoder/, vqvae/ and tokenizer/.</summary>
    /// <exception cref="ModelException">A part is missing or does not fit the others or the picture size.</exception>
    /// <exception cref="Runtime.Files.WeightsFileException">A weight file is damaged.</exception>
    public static TextToImagePipeline Load(string folder, IBackend backend, PipelineOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ITextTokenizer text = ClipTokenizer.Load(Path.Combine(folder, "tokenizer"));
        VqModel vq = VqModel.Load(Path.Combine(folder, "vqvae"), backend);
        TextToImageModel? model = null;
        try
        {
            model = TextToImageModel.Load(folder, backend);
            return new TextToImagePipeline(model, vq, text, options);
        }
        catch
        {
            model?.Dispose();
            vq.Dispose();
            throw;
        }
    }

    /// <summary>Checks that the parts of a model folder belong together.</summary>
    /// <exception cref="ModelException">They do not.</exception>
    public static void Check(TextToImageModel model, VqModel vq, ITextTokenizer text)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(vq);
        ArgumentNullException.ThrowIfNull(text);
        FolderParts.Check(model.Transformer.Config, vq.Config, model.TextEncoder.Config, text);
    }

    /// <summary>Rows and columns of codes in pictures of height x width pixels.</summary>
    /// <exception cref="ModelException">No grid of codes has this size.</exception>
    public static (int Height, int Width) Grid(TextToImageModel model, VqModel vq, int height, int width)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(vq);
        int factor = vq.Config.Factor, multiple = model.Transformer.Config.Downsample ? 2 * factor : factor;
        return height >= multiple && width >= multiple && height % multiple == 0 && width % multiple == 0
            ? (height / factor, width / factor)
            : throw new ModelException($"picture size: wanted width and height that are multiples of {multiple}, got {width} x {height}; round them");
    }

    /// <summary>
    /// Draws pictures, prompt by prompt. Picture i draws the noise of trajectory <see cref="PictureRequest.FirstPicture"/> + i of the seed, so that
    /// it depends on neither micro-batch nor device count.
    /// </summary>
    /// <param name="request">Prompts and settings.</param>
    /// <param name="schedule">Re-mask ratio, temperatures and guidance of each step.</param>
    /// <param name="observer">Null, or sees every step.</param>
    /// <exception cref="ArgumentException">The request contradicts itself or the pipeline's size.</exception>
    /// <exception cref="FormatException">A prompt cannot be tokenized.</exception>
    public IReadOnlyList<RgbImage> Draw(PictureRequest request, ISchedule schedule, ISampleObserver? observer = null)
    {
        ArgumentNullException.ThrowIfNull(request);
        Check(request);
        int images = request.Prompts.Count * request.PicturesPerPrompt, codes = _pictures.GridHeight * _pictures.GridWidth;
        string[] distinct = [.. request.Prompts.Distinct(StringComparer.Ordinal)];
        int[] numbers = [.. request.Prompts.Select(prompt => 1 + Array.IndexOf(distinct, prompt))];
        _masked.SetPrompts(Tokenize(request.NegativePrompt, distinct));
        _masked.SetMicroConditions(request.MicroConditions ?? _masked.DefaultMicroConditions);
        int firstStep = request.Source is null ? 0 : request.Steps - Math.Clamp((int)(request.Steps * request.Strength), 1, request.Steps);
        (int[] start, double share) = request.Source is null ? ([], 1) : Start(request, request.Source, images, firstStep);
        var record = new SampleRecord(images, codes, request.Steps);
        _sampler.Sample(
            new SampleRequest
            {
                Steps = request.Steps,
                Prompts = [.. Enumerable.Range(0, images).Select(i => numbers[i / request.PicturesPerPrompt])],
                FirstTrajectory = request.FirstPicture,
                Seed = request.Seed,
                FirstStep = firstStep,
                Start = start,
                RemaskBase = share,
            },
            schedule, record, observer);
        return [.. Enumerable.Range(0, images).Select(i => _pictures.Decode(record.Tokens.AsSpan(i * codes, codes)))];
    }

    /// <summary>Frees the networks.</summary>
    public void Dispose()
    {
        _sampler.Dispose();
        _masked.Dispose();
        _pictures.Dispose();
        _model.Dispose();
        _vq.Dispose();
    }

    /// <summary>[P+1,L] ids, the negative prompt first.</summary>
    private int[] Tokenize(string negative, string[] prompts)
    {
        int[] ids = new int[(prompts.Length + 1) * _text.Length];
        _text.Encode(negative, ids.AsSpan(0, _text.Length));
        for (int i = 0; i < prompts.Length; i++)
        {
            _text.Encode(prompts[i], ids.AsSpan((i + 1) * _text.Length, _text.Length));
        }

        return ids;
    }

    /// <summary>
    /// [images*N] canvases that the loop finds at its first step, and the share of a picture that is to be drawn: the source's codes, masked within
    /// the region as independently, and with the probability, as the original's add_noise does (specs/meissonic.md 4.6). At the very first step the
    /// whole region is masked.
    /// </summary>
    private (int[] Canvases, double Share) Start(PictureRequest request, RgbImage source, int images, int firstStep)
    {
        int[] codes = _pictures.Encode(source);
        bool[] region = Region(request.Mask);
        double masked = firstStep == 0 ? 1 : Math.Cos(firstStep / (double)request.Steps * Math.PI / 2);
        int[] canvases = new int[images * codes.Length];
        for (int image = 0; image < images; image++)
        {
            var noise = new RandomSequence(request.Seed, RandomStream.StartCanvas, (ulong)(request.FirstPicture + image));
            Span<int> canvas = canvases.AsSpan(image * codes.Length, codes.Length);
            for (int i = 0; i < codes.Length; i++)
            {
                bool drawn = noise.NextDouble() < masked;
                canvas[i] = region[i] && drawn ? _pictures.MaskId : codes[i];
            }
        }

        return (canvases, region.Count(inside => inside) / (double)codes.Length);
    }

    /// <summary>[N] codes that hold a bright pixel; all of them without a mask.</summary>
    private bool[] Region(RgbImage? mask)
    {
        bool[] region = new bool[_pictures.GridHeight * _pictures.GridWidth];
        if (mask is null)
        {
            Array.Fill(region, true);
            return region;
        }

        int factor = _vq.Config.Factor;
        for (int i = 0; i < mask.Width * mask.Height; i++)
        {
            ReadOnlySpan<byte> pixel = mask.Pixels.AsSpan(3 * i, 3);
            if (pixel[0] + pixel[1] + pixel[2] >= 3 * 128)
            {
                region[(i / mask.Width / factor * _pictures.GridWidth) + (i % mask.Width / factor)] = true;
            }
        }

        return region;
    }

    private void Check(PictureRequest request)
    {
        static ArgumentException Wrong(string text) => new(text, nameof(request));
        if (request.Prompts.Count == 0 || request.PicturesPerPrompt < 1 || request.Steps < 1)
        {
            throw Wrong($"request: wanted a prompt, a picture per prompt and a step at least, got {request.Prompts.Count}, {request.PicturesPerPrompt} and {request.Steps}");
        }

        if (!(request.Strength is > 0 and <= 1))
        {
            throw Wrong($"strength: wanted a number above 0 and up to 1, got {request.Strength}; 1 draws anew, less keeps more of the source");
        }

        if (request.Source is null && (request.Mask is not null || request.Strength < 1))
        {
            throw Wrong("request: a mask or a strength below 1 wants a source picture, got none; give the picture to start from");
        }

        foreach ((string name, RgbImage? picture) in new[] { ("source", request.Source), ("mask", request.Mask) })
        {
            if (picture is not null && (picture.Width, picture.Height) != (Width, Height))
            {
                throw Wrong($"{name}: wanted a picture of {Width} x {Height}, got {picture.Width} x {picture.Height}; scale it, or choose its size for the pipeline");
            }
        }
    }
}
