using System.CommandLine;
using CoGrpo.Model;
using CoGrpo.Model.TextToImage;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Files;

var file = new Argument<string>("FILE") { Description = "A safetensors file." };
var inspect = new Command("inspect", "List the tensors of a safetensors file.") { file };
inspect.SetAction(parsed =>
{
    using SafetensorsFile opened = SafetensorsFile.Open(parsed.GetValue(file)!);
    foreach (SafetensorsTensor tensor in opened.Tensors.Values.OrderBy(t => t.Name, StringComparer.Ordinal))
    {
        Console.WriteLine(tensor);
    }
});

var folder = new Argument<string>("FOLDER") { Description = "A model folder in the published layout: transformer/ and text_encoder/." };
var verify = new Command("verify", "Check that a model folder's configurations and weights fit together.") { folder };
verify.SetAction(parsed =>
{
    using var backend = new CpuBackend(1);
    using TextToImageModel model = TextToImageModel.Load(parsed.GetValue(folder)!, backend);
    Console.WriteLine($"transformer {model.Transformer.Parameters.ParameterCount} parameters, text encoder {model.TextEncoder.Parameters.ParameterCount} parameters: ok");
});

var root = new RootCommand("Checks model folders in the published layout.") { inspect, verify };
try
{
    return root.Parse(args).Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (Exception error) when (error is ModelException or SafetensorsException or IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine($"error: {error.Message}");
    return 1;
}
