using System.CommandLine;
using CoGrpo.Rl.Configuration;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Backends.Cuda;

namespace CoGrpo.Cli;

/// <summary>The options that say where the arithmetic runs and how, known to every command.</summary>
internal static class DeviceOption
{
    /// <summary><c>--device</c>; null where it is not given.</summary>
    public static Option<string?> Device { get; } = Create("--device", "Where the arithmetic runs.", "cpu", "cuda");

    /// <summary><c>--precision</c>; null where it is not given.</summary>
    public static Option<string?> Precision { get; } = Create("--precision", "Element type of activations and weights on a GPU.", "bf16", "fp32");

    /// <summary><c>--gemm</c>; null where it is not given.</summary>
    public static Option<string?> Gemm { get; } = Create("--gemm", "Matrix product on a GPU.", "own", "cublas");

    /// <summary>The configuration overrides that the options stand for.</summary>
    public static IEnumerable<string> Overrides(ParseResult parsed)
    {
        foreach ((string path, Option<string?> option) in new[] { ("device", Device), ("precision", Precision), ("gemm", Gemm) })
        {
            if (parsed.GetValue(option) is { } value)
            {
                yield return $"{path}={value}";
            }
        }
    }

    /// <summary>The device of a configuration, owned by the caller.</summary>
    /// <exception cref="Runtime.Cuda.CudaException">It asks for a GPU and there is none that can be used; the message says what was
    /// tried.</exception>
    public static ComputeDevice Open(RunConfiguration configuration, CliContext context) => configuration.Device == DeviceName.Cpu
        ? ComputeDevice.Cpu()
        : ComputeDevice.Cuda(context.CudaDriver(), new CudaBackendOptions
        {
            Storage = configuration.Precision == PrecisionName.Bf16 ? ElementType.BFloat16 : ElementType.Float32,
            Gemm = configuration.Gemm == GemmChoice.Own ? GemmName.Own : GemmName.Cublas,
        }, compiler: context.KernelCompiler());

    private static Option<string?> Create(string name, string description, params string[] values)
    {
        string choice = string.Join('|', values);
        Option<string?> option = new(name) { Description = $"{description} {string.Join(" or ", values)}.", Recursive = true, HelpName = choice };
        option.AcceptOnlyFromAmong(values);
        return option;
    }
}
