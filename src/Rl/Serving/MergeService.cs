using CoGrpo.Model;
using CoGrpo.Model.Lora;
using CoGrpo.Model.TextToImage;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Rl.Serving;

/// <summary>The <c>merge</c> command's work.</summary>
public static class MergeService
{
    /// <summary>
    /// Writes the model at <paramref name="checkpoint"/> with W + scale · (α/r) B A in place of every adapted W, computed in fp32, to the new folder
    /// <paramref name="output"/>, which appears whole or not at all. What else the model's folder holds (VQ model, tokenizer) is copied.
    /// </summary>
    /// <exception cref="ModelException">The output exists, or model and adapters cannot be used together.</exception>
    /// <exception cref="SafetensorsException">A file is damaged.</exception>
    public static void Run(string checkpoint, LoraSource lora, string output, ComputeDevice device)
    {
        ArgumentNullException.ThrowIfNull(lora);
        ArgumentNullException.ThrowIfNull(device);
        if (Path.Exists(output))
        {
            throw new ModelException($"{output}: wanted a folder to make, got one that exists; choose another name or remove it");
        }

        using TextToImageModel model = TextToImageModel.Load(checkpoint, device.Backend);
        LoraFile.Load(lora.Path, model.Transformer, device.Backend, lora.Scale).Fold(model.Transformer.Parameters);
        AtomicDirectory.Write(output, aside =>
        {
            model.Save(aside);
            FolderRemainder.Copy(checkpoint, aside);
        });
    }
}
