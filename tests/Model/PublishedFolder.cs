using System.Text.Json;
using CoGrpo.Model;
using CoGrpo.Model.Clip;
using CoGrpo.Model.TextToImage;
using CoGrpo.Model.Vq;
using CoGrpo.Runtime.Backends;
using CoGrpo.Tests.Rl;

namespace CoGrpo.Tests.Model;

/// <summary>A small model folder in the published layout, with weights that let text matter. Four pixels per code and side.</summary>
internal static class PublishedFolder
{
    /// <summary>Writes it.</summary>
    public static void Write(string folder, IBackend backend)
    {
        VqConfig vq = new()
        {
            BlockOutChannels = [8, 16, 16],
            DownBlockTypes = [.. Enumerable.Repeat("DownEncoderBlock2D", 3)],
            UpBlockTypes = [.. Enumerable.Repeat("UpDecoderBlock2D", 3)],
            LayersPerBlock = 1,
            NormNumGroups = 4,
            LatentChannels = 4,
            NumVqEmbeddings = 431,
        };
        ClipTextConfig text = TinyRun.Text() with { MaxPositionEmbeddings = 77, VocabSize = 49408 };
        using (TextToImageModel model = new(TinyRun.Transformer(downsample: true), text, backend))
        {
            Initialisation.FromScratch(model.Transformer.Parameters, backend, 1);
            Initialisation.FromScratch(model.TextEncoder.Parameters, backend, 2);

            // A fresh transformer's blocks are the identity: text would not matter.
            TinyRun.Jitter(backend, model.Transformer.Parameters, 4, 0.1);
            model.Save(folder);
        }

        using VqModel pictures = new(vq, backend);
        Initialisation.FromScratch(pictures.Parameters, backend, 3);
        string vqvae = Path.Combine(folder, "vqvae");
        Directory.CreateDirectory(vqvae);
        File.WriteAllText(Path.Combine(vqvae, "config.json"), JsonSerializer.Serialize(vq));
        ParameterFile.Save(
            Path.Combine(vqvae, "diffusion_pytorch_model.safetensors"),
            pictures.Parameters,
            pictures.Parameters.Values,
            backend,
            new Dictionary<string, string> { ["format"] = "pt" }
        );
    }
}
